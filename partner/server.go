package partner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"skinarb/pricing"
)

// Desk is the seller behind the protocol.
type Desk interface {
	// Goods gives our own id of the listed item that SIH calls by an id, which may be
	// that, SIH's, or our key of the listing: which of them SIH sends is not clear
	// from its documentation. An id that is none of them comes back as it is.
	Goods(id string) string

	// Ask gives the least that we take for the item that we listed under an id, or
	// false when it is not for sale now. An id means one unit. It answers from
	// memory, at once, and may be called concurrently.
	Ask(itemID string) (least pricing.Money, listed bool)
}

// Config is what a Server needs. Key, Store and Desk are required.
type Config struct {
	Key   []byte // the deposit API key
	Store Store
	Desk  Desk
	Bot   Bot

	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: nothing is logged
}

// Bounds of a Server.
const (
	storeWait   = 3 * time.Second  // for everything that one call asks of the store
	recheckWait = time.Second      // to see whether a failed write was one
	maxPolled   = 10_000           // purchases that are polled and not sent yet
	pollLasts   = 15 * time.Minute // after that long without one, polls are forgotten when there are too many
)

// Server answers SIH. Its methods are safe for concurrent use.
type Server struct {
	sign   signer
	store  Store
	desk   Desk
	bot    Bot
	now    func() time.Time
	log    *slog.Logger
	wake   chan struct{}
	counts counters

	mu        sync.Mutex               // guards what follows
	polled    map[string]time.Time     // last poll of purchases that are created, by customId
	answering map[string]chan struct{} // closed when the create-purchase of a customId is answered
}

// New gives a Server. It refuses an empty key, under which anybody could sign.
func New(cfg Config) (*Server, error) {
	if len(cfg.Key) == 0 {
		return nil, errors.New("the partner side needs a deposit API key")
	}
	s := &Server{
		sign: newSigner(cfg.Key), store: cfg.Store, desk: cfg.Desk, bot: cfg.Bot, now: cfg.Now, log: cfg.Logger,
		wake: make(chan struct{}, 1), polled: map[string]time.Time{}, answering: map[string]chan struct{}{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// Wake gives a value when there is something new for the desk: a purchase was
// stored, or polled for the first time. It is one desk's to receive from. A value
// stands for everything that is new since the last one, and nothing waits for it
// to be received.
func (s *Server) Wake() <-chan struct{} { return s.wake }

func (s *Server) wakeDesk() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Polled gives the last time that SIH asked for a purchase that is Created, or the
// zero time if it has not since this process began. Until then SIH may think that
// the order failed, and the desk must not spend anything on it.
func (s *Server) Polled(customID string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.polled[customID]
}

// Create answers a create-purchase with this body and signature header. It returns
// after the purchase is durable. It keeps nothing of body.
func (s *Server) Create(ctx context.Context, body []byte, signature string) (reply []byte) {
	defer s.survive("create-purchase", internalError, &reply)
	signed, err := parse(body)
	if err != nil || !s.sign.signed(signed, signature) {
		return s.refuse(&s.counts.badSignature, invalidSignature)
	}
	o, refused := readOrder(signed)
	o.itemID = s.desk.Goods(o.itemID)
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	if o.customID != "" {
		answered, err := s.turn(ctx, o.customID)
		if err != nil {
			return s.fail("create-purchase", internalError, err)
		}
		defer answered()
		p, err := s.store.Get(ctx, o.customID)
		switch {
		case err == nil:
			return s.repeat(p, o)
		case !errors.Is(err, ErrNoPurchase):
			return s.fail("create-purchase", internalError, err)
		}
	}
	if refused == "" {
		refused = s.price(o)
	}
	switch refused {
	case "":
		return s.take(ctx, o)
	case badPrice:
		return s.refuse(&s.counts.badPrice, refused)
	}
	return s.refuse(&s.counts.badPayload, refused)
}

// turn waits until nothing else is being answered about an order, and keeps others
// waiting until answered is called. Without it, of two equal calls one could be
// refused because the price moved while the other is being stored.
func (s *Server) turn(ctx context.Context, customID string) (answered func(), err error) {
	mine := make(chan struct{})
	for {
		s.mu.Lock()
		other, busy := s.answering[customID]
		if !busy {
			s.answering[customID] = mine
		}
		s.mu.Unlock()
		if !busy {
			return func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(s.answering, customID)
				close(mine)
			}, nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for another call about %q: %w", customID, ctx.Err())
		}
	}
}

// price tells whether o's item is for sale at o's price.
func (s *Server) price(o order) refusal {
	least, listed := s.desk.Ask(o.itemID)
	if !listed {
		// SIH shows something that we do not sell any more.
		s.log.Warn("SIH sold an item that is not for sale", "item_id", o.itemID, "custom_id", o.customID)
	}
	if !listed || o.price < least {
		return badPrice
	}
	return ""
}

// take stores a purchase and answers with it.
func (s *Server) take(ctx context.Context, o order) []byte {
	now := s.now()
	p, created, err := s.store.Create(ctx, Purchase{
		CustomID: o.customID, ItemID: o.itemID, Buyer: o.buyer, Price: o.price,
		State: Created, CreatedAt: now, UpdatedAt: now,
	})
	if err != nil && !errors.Is(err, ErrItemTaken) {
		// What is stored although the store said otherwise must not be refused. If
		// even that cannot be told, refusing is right: SIH will not poll for it, so
		// that nothing is spent on it.
		again, cancel := context.WithTimeout(context.WithoutCancel(ctx), recheckWait)
		defer cancel()
		found, getErr := s.store.Get(again, o.customID)
		if getErr != nil {
			return s.fail("create-purchase", internalError, err)
		}
		p, created, err = found, true, nil
	}
	switch {
	case err != nil:
		return s.refuse(&s.counts.badPrice, badPrice) // not for sale any more, for which SIH has no word
	case !created:
		return s.repeat(p, o)
	}
	s.counts.created.Add(1)
	s.wakeDesk()
	return describe(p, s.bot).bytes()
}

// repeat answers a create-purchase whose customId is known with what is stored.
func (s *Server) repeat(p Purchase, o order) []byte {
	s.counts.repeated.Add(1)
	if o.itemID != p.ItemID || o.buyer != p.Buyer || o.price != p.Price {
		s.counts.mismatched.Add(1)
		s.log.Warn("SIH repeated an order and asked for something else", "custom_id", p.CustomID, "state", p.State,
			"item_id", p.ItemID, "asked_item_id", o.itemID, "price", p.Price, "asked_price", o.price, "buyer", p.Buyer, "asked_buyer", o.buyer)
	}
	return describe(p, s.bot).bytes()
}

// Get answers a get-purchase with this query, as it stands in the URL, and
// signature header.
func (s *Server) Get(ctx context.Context, rawQuery, signature string) (reply []byte) {
	defer s.survive("get-purchase", notFound, &reply)
	signed, ok := readQuery(rawQuery)
	if !ok || !s.sign.signed(signed, signature) {
		return s.refuse(&s.counts.badSignature, invalidSignature)
	}
	customID := readCustomID(signed.member("customId"))
	if customID == "" {
		return s.refuse(&s.counts.notFound, notFound)
	}
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	p, err := s.store.Get(ctx, customID)
	switch {
	case errors.Is(err, ErrNoPurchase):
		return s.refuse(&s.counts.notFound, notFound)
	case err != nil:
		return s.fail("get-purchase", notFound, err)
	}
	s.counts.polls.Add(1)
	s.notePoll(p)
	return describe(p, s.bot).bytes()
}

// notePoll remembers that SIH asks for p, as long as that matters.
func (s *Server) notePoll(p Purchase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.State != Created {
		delete(s.polled, p.CustomID)
		return
	}
	now := s.now()
	if _, known := s.polled[p.CustomID]; !known {
		if len(s.polled) >= maxPolled {
			for id, at := range s.polled {
				if now.Sub(at) > pollLasts {
					delete(s.polled, id)
				}
			}
		}
		if len(s.polled) >= maxPolled {
			return // it is not traded until there is room
		}
		defer s.wakeDesk()
	}
	s.polled[p.CustomID] = now
}

func (s *Server) refuse(count *atomic.Int64, r refusal) []byte {
	count.Add(1)
	return answer{Error: r}.bytes()
}

// fail answers what we cannot answer, and logs why.
func (s *Server) fail(call string, r refusal, err error) []byte {
	s.log.Error("a call of SIH's could not be answered", "call", call, "answered", string(r), "error", err)
	return s.refuse(&s.counts.failed, r)
}

// survive turns a panic of its caller into an answer: one call must not end the
// process.
func (s *Server) survive(call string, r refusal, reply *[]byte) {
	if p := recover(); p != nil {
		*reply = s.fail(call, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
	}
}
