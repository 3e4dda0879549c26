// Tells the lab's witness about every change that has just taken place, and waits for its answer.
// One rule: the witness hears of an effect before the caller of the API does.
// Must never fail the work itself when the witness is away: that is logged, and the work goes on.
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"time"
)

type effect struct {
	World string `json:"world"`
	Op    string `json:"op"`
	VM    string `json:"vm,omitempty"`
	File  string `json:"file,omitempty"`
	At    string `json:"at"`
}

type effectPoster struct {
	url    string
	client http.Client
}

func newEffectPoster(url string) *effectPoster {
	return &effectPoster{url: url, client: http.Client{Timeout: 10 * time.Second}}
}

func (p *effectPoster) post(e effect) {
	if p.url == "" {
		return
	}
	e.World, e.At = "vsphere", time.Now().UTC().Format(time.RFC3339Nano)
	body, _ := json.Marshal(e)
	answer, err := p.client.Post(p.url, "application/json", bytes.NewReader(body))
	if err != nil {
		log.Printf("effect %s on %s was not heard: %v", e.Op, e.VM+e.File, err)
		return
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 2000))
	if answer.StatusCode >= 300 {
		log.Printf("effect %s on %s was answered %d: %s", e.Op, e.VM+e.File, answer.StatusCode, text)
	}
}
