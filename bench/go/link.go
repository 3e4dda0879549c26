// A link of a given speed: all connections of one listener share it, as machines behind one line do.
// Rule: bytes leave no earlier than the line could have carried them; a short burst is allowed, so that timers decide nothing.
package main

import (
	"net"
	"sync"
	"time"
)

// What the line may be ahead of the clock: less than a thousandth of the shortest run that is measured on it.
const burst = 2 * time.Millisecond

type sharedLink struct {
	bytesPerSecond float64
	mutex          sync.Mutex
	freeAt         time.Time
}

// carry waits until the line has carried so many more bytes.
func (l *sharedLink) carry(bytes int) {
	l.mutex.Lock()
	now := time.Now()
	if l.freeAt.Before(now) {
		l.freeAt = now
	}
	l.freeAt = l.freeAt.Add(time.Duration(float64(bytes) / l.bytesPerSecond * float64(time.Second)))
	wait := l.freeAt.Sub(now) - burst
	l.mutex.Unlock()
	if wait > 0 {
		time.Sleep(wait)
	}
}

type slowListener struct {
	net.Listener
	link *sharedLink
}

func (l *slowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &slowConn{Conn: conn, link: l.link}, nil
}

type slowConn struct {
	net.Conn
	link *sharedLink
}

func (c *slowConn) Write(bytes []byte) (int, error) {
	c.link.carry(len(bytes))
	return c.Conn.Write(bytes)
}
