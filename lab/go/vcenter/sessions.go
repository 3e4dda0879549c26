// The login sessions as seen on the wire, so that they can be ended on demand or for idleness.
// One rule: a session that ended here is ended in the simulator too, which then answers NotAuthenticated by itself.
// Must never write down a session's key: the audit knows sessions by their number.
package main

import (
	"net/http"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type loginSession struct {
	number int
	user   string
	last   time.Time
}

type sessionBook struct {
	mu      sync.Mutex
	count   int
	idle    time.Duration
	session map[string]*loginSession
}

func newSessionBook() *sessionBook {
	return &sessionBook{session: map[string]*loginSession{}}
}

func sessionKey(r *http.Request) string {
	cookie, err := r.Cookie(soap.SessionCookieName)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// touch notes a call and tells whether the session had been idle for too long before it.
func (b *sessionBook) touch(key string) (session loginSession, known bool, expired bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, ok := b.session[key]
	if !ok {
		return loginSession{}, false, false
	}
	expired = b.idle > 0 && time.Since(found.last) > b.idle
	found.last = time.Now()
	return *found, true, expired
}

// opened reads a new session's key from the answer to a login.
func (b *sessionBook) opened(answer http.Header, user string) {
	for _, cookie := range (&http.Response{Header: answer}).Cookies() {
		if cookie.Name != soap.SessionCookieName {
			continue
		}
		b.mu.Lock()
		b.count++
		b.session[cookie.Value] = &loginSession{number: b.count, user: user, last: time.Now()}
		b.mu.Unlock()
	}
}

func (b *sessionBook) setIdle(limit time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.idle = limit
}

// endSessions ends the one named, or all of them when the key is empty; it answers how many there were.
func (w *world) endSessions(key string) int {
	b := w.sessions
	b.mu.Lock()
	var keys []string
	for candidate := range b.session {
		if key == "" || candidate == key {
			keys = append(keys, candidate)
			delete(b.session, candidate)
		}
	}
	b.mu.Unlock()
	ctx := w.context()
	ctx.Session = &simulator.Session{}
	for _, ended := range keys {
		w.registry().SessionManager().TerminateSession(ctx, &types.TerminateSession{SessionId: []string{ended}})
	}
	return len(keys)
}
