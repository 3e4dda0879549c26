// What happens on the connection around each SOAP call: idle sessions, broken connections on demand, the audit.
// One rule: a reply is held back until it is known whether it may leave.
// Must never look further into a request than its method, its object and a user's name.
package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

const longestRequestBytes = 16 << 20

// soapCall is the little that the wire needs to know of a request.
type soapCall struct {
	method string
	object types.ManagedObjectReference
	user   string
	file   string
}

func (w *world) wire(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		key := sessionKey(r)
		session, known, expired := w.sessions.touch(key)
		if expired {
			w.endSessions(key)
		}
		if r.URL.Path == guestFilePath {
			w.guests.hand(out, r) // Its ticket lets it in.
			return
		}
		if !strings.HasPrefix(r.URL.Path, "/sdk") {
			if !known || expired {
				http.Error(out, "log in first", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(out, r)
			return
		}
		if r.Method != http.MethodPost {
			next.ServeHTTP(out, r)
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, longestRequestBytes))
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.answer(out, r, next, readCall(body), session)
	})
}

func (w *world) answer(out http.ResponseWriter, r *http.Request, next http.Handler, call soapCall, session loginSession) {
	begun := time.Now()
	line := auditLine{Kind: "call", Method: call.method, Object: call.object.Value, Name: w.wireSubject(call), User: session.user, Session: session.number}
	rule := w.rules.take("call", call.method, line.Name, true)
	if rule != nil {
		rule.wait()
		if rule.Action != "dropAfter" {
			line.Result = "connection:" + rule.Action
			w.audit.write(line, begun)
			breakConnection(out, r, rule.Action == "hang")
			return
		}
	}
	reply := httptest.NewRecorder()
	next.ServeHTTP(reply, r)
	line.Result = outcome(reply)
	if line.Result == "ok" && strings.HasPrefix(call.method, "Login") {
		w.sessions.opened(reply.Header(), call.user)
		line.User = call.user
	}
	if line.Result == "ok" && call.method == "UnregisterVM" {
		w.effects.post(effect{Op: "unregisterVm", VM: line.Name})
	}
	w.audit.write(line, begun)
	if rule != nil {
		breakConnection(out, r, false)
		return
	}
	for name, values := range reply.Header() {
		out.Header()[name] = values
	}
	out.WriteHeader(reply.Code)
	_, _ = out.Write(withZeroCodes(call.method, reply.Body.Bytes()))
}

// withZeroCodes puts back what the simulator's XML leaves out: that a program ended with 0.
func withZeroCodes(method string, body []byte) []byte {
	if method != "ListProcessesInGuest" {
		return body
	}
	return bytes.ReplaceAll(body, []byte("</endTime></returnval>"), []byte("</endTime><exitCode>0</exitCode></returnval>"))
}

func (w *world) wireSubject(call soapCall) string {
	if call.file != "" {
		return call.file
	}
	return w.subject(call.object)
}

// breakConnection closes the TCP connection without a reply; with `hang` it first waits for the caller to give up.
func breakConnection(out http.ResponseWriter, r *http.Request, hang bool) {
	if hang {
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Minute):
		}
	}
	hijacker, ok := out.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	if connection, _, err := hijacker.Hijack(); err == nil {
		connection.Close()
	}
}

// readCall reads the first element inside the envelope's body, and its `_this`, `name` and `userName`.
func readCall(body []byte) soapCall {
	var call soapCall
	decoder := xml.NewDecoder(bytes.NewReader(body))
	depth := 0
	inBody := false
	for {
		token, err := decoder.Token()
		if err != nil {
			return call
		}
		switch element := token.(type) {
		case xml.StartElement:
			depth++
			switch {
			case depth == 2:
				inBody = element.Name.Local == "Body"
			case depth == 3 && inBody:
				call.method = element.Name.Local
			case depth == 4 && inBody:
				depth -= readArgument(decoder, element, &call)
			}
		case xml.EndElement:
			depth--
		}
	}
}

// readArgument answers 1 when it consumed the element with its end.
func readArgument(decoder *xml.Decoder, element xml.StartElement, call *soapCall) int {
	var text string
	switch element.Name.Local {
	case "_this", "userName", "name":
		if decoder.DecodeElement(&text, &element) != nil {
			return 1
		}
	default:
		return 0
	}
	switch element.Name.Local {
	case "_this":
		call.object.Value = text
		for _, attribute := range element.Attr {
			if attribute.Name.Local == "type" {
				call.object.Type = attribute.Value
			}
		}
	case "userName":
		call.user = text
	case "name":
		if strings.HasPrefix(text, "[") {
			call.file = text
		}
	}
	return 1
}

func outcome(reply *httptest.ResponseRecorder) string {
	if reply.Code < 300 {
		return "ok"
	}
	text := reply.Body.String()
	if _, rest, ok := strings.Cut(text, "<detail>"); ok {
		if name, _, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(rest), "<"), "Fault "); ok && !strings.ContainsAny(name, "<> ") {
			return name
		}
	}
	return http.StatusText(reply.Code)
}
