// One line of JSON for each call and each finished task, in the order they end.
// One rule: names and outcomes only.
// Must never hold an argument's value, so that no password or ticket can get into the file.
package main

import (
	"encoding/json"
	"os"
	"regexp"
	"sync"
	"time"
)

type auditLine struct {
	At      string  `json:"at"`
	Kind    string  `json:"kind"`
	Method  string  `json:"method"`
	Object  string  `json:"object"`
	Name    string  `json:"name,omitempty"`
	User    string  `json:"user,omitempty"`
	Session int     `json:"session,omitempty"`
	Result  string  `json:"result"`
	Ms      float64 `json:"ms"`
}

// sessionKeys: the simulator puts a session's key into the names of the objects it makes for that session.
var sessionKeys = regexp.MustCompile(`session\[[^\]]*\]`)

type auditFile struct {
	mu   sync.Mutex
	file *os.File
}

func openAudit(path string) (*auditFile, error) {
	if path == "" {
		return &auditFile{}, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	return &auditFile{file: file}, err
}

func (a *auditFile) write(line auditLine, begun time.Time) {
	if a.file == nil {
		return
	}
	line.Object = sessionKeys.ReplaceAllString(line.Object, "session")
	line.At = time.Now().UTC().Format(time.RFC3339Nano)
	line.Ms = float64(time.Since(begun).Microseconds()) / 1000
	text, _ := json.Marshal(line)
	a.mu.Lock()
	defer a.mu.Unlock()
	_, _ = a.file.Write(append(text, '\n'))
}
