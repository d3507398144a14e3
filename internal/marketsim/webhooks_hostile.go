package marketsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Attack is a webhook, or several, that the market never meant to send.
type Attack struct {
	Market string        // SkinsBack or SIH; it must have a webhook
	Kind   string        // one of the Attack constants
	For    time.Duration // of AttackSlow: how long the body takes; 0 means 20s
}

// Kinds of attacks.
const (
	// AttackForged says that purchases failed which did not. On SkinsBack the
	// signature is another body's; SIH signs nothing, so nothing is wrong with it.
	AttackForged = "forged"
	// AttackStranger is the same from somebody who does not know what the market
	// knows: on SkinsBack without a signature but with the right X-SIGN, which
	// proves nothing; on SIH to a path that ends otherwise.
	AttackStranger = "stranger"
	// AttackReplayed sends the last event again, several times.
	AttackReplayed = "replayed"
	// AttackReordered sends the last events again, newest first.
	AttackReordered = "reordered"
	// AttackHuge sends 8 MiB, well signed.
	AttackHuge = "huge"
	// AttackSlow sends the last event again, byte after byte.
	AttackSlow = "slow"
)

var attackKinds = []string{AttackForged, AttackStranger, AttackReplayed, AttackReordered, AttackHuge, AttackSlow}

// Sizes of attacks.
const (
	hugeBody  = 8 << 20 // bytes
	replays   = 5
	reordered = 10
	slowAfter = 20 * time.Second
)

// Attack sends hostile webhooks one after the other and returns what the
// receiver answered to each. It takes its time, and ends with ctx.
func (w *World) Attack(ctx context.Context, a Attack) ([]Answer, error) {
	posts, err := w.attack(a)
	if err != nil {
		return nil, fmt.Errorf("marketsim: attack: %w", err)
	}
	answers := make([]Answer, len(posts))
	for i, p := range posts {
		answers[i] = p.send(ctx)
	}
	return answers, nil
}

// attack makes the posts of an attack.
func (w *World) attack(a Attack) ([]post, error) {
	m := w.market(a.Market)
	if m == nil {
		return nil, fmt.Errorf("no market %q", a.Market)
	}
	if !slices.Contains(attackKinds, a.Kind) {
		return nil, fmt.Errorf("unknown kind %q: want one of %s", a.Kind, strings.Join(attackKinds, ", "))
	}
	w.mu.Lock()
	w.advance()
	address, sent, lie := m.webhook, slices.Clone(m.outbox.sent), w.lie(m)
	w.mu.Unlock()
	if address == "" {
		return nil, errors.New("the market has no webhook")
	}

	switch a.Kind {
	case AttackForged:
		p := w.genuine(m.name, address, lie)
		if m.name == SkinsBack {
			p.header.Set("Signature", w.signature([]byte("another body")))
		}
		return []post{p}, nil
	case AttackStranger:
		p := w.genuine(m.name, address, lie)
		p.header.Del("Signature")
		if m.name == SIH {
			p.address += "x"
		}
		return []post{p}, nil
	case AttackHuge:
		body := bytes.Repeat([]byte(" "), hugeBody)
		copy(body, lie)
		return []post{w.genuine(m.name, address, body)}, nil
	}

	if len(sent) == 0 {
		return nil, errors.New("no event has been sent that could be sent again")
	}
	newest := sent[len(sent)-1]
	var posts []post
	switch a.Kind {
	case AttackReplayed:
		for range replays {
			posts = append(posts, w.genuine(m.name, address, newest))
		}
	case AttackReordered:
		for _, event := range slices.Backward(lastOf(sent, reordered)) {
			posts = append(posts, w.genuine(m.name, address, event))
		}
	case AttackSlow:
		p := w.genuine(m.name, address, newest)
		long := a.For
		if long <= 0 {
			long = slowAfter
		}
		p.body = &drip{rest: newest, pause: long / time.Duration(len(newest))}
		posts = append(posts, p)
	}
	return posts, nil
}

// lie is an event of the newest purchase that says it failed, or of one that
// never was.
func (w *World) lie(m *market) []byte {
	o := order{market: m, id: 1, customID: "never-bought", listing: &listing{item: &item{}}}
	if n := len(m.orders); n > 0 {
		o = *m.orders[n-1]
	}
	if m.name == SIH {
		o.state, o.reason, o.protection = "failed", "canceled by seller", ""
		return o.sihEvent()
	}
	o.state = "canceled"
	return o.sbEvent(false)
}

// drip hands out a body byte after byte, with a pause before each.
type drip struct {
	rest  []byte
	pause time.Duration
}

func (d *drip) Read(p []byte) (int, error) {
	if len(d.rest) == 0 {
		return 0, io.EOF
	}
	time.Sleep(d.pause)
	n := copy(p, d.rest[:1])
	d.rest = d.rest[n:]
	return n, nil
}
