package simulation

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"skinarb/execution"
	"skinarb/pricing"
)

// mutation is something broken on purpose, which the harness must notice.
type mutation struct {
	journal func(execution.Journal) execution.Journal
	market  func(client) execution.Market
	shape   func(*plan) // makes what it is about likelier; nil leaves the plan as drawn
}

// client is all that an executor uses of a market's client.
type client interface {
	execution.Market
	execution.Bookkeeper
}

// forgetful does not write down that an order is about to be sent.
type forgetful struct{ execution.Journal }

func (j forgetful) Advance(ctx context.Context, o execution.Order, s execution.Step) (execution.Order, error) {
	if o.State != execution.Sent {
		return j.Journal.Advance(ctx, o, s)
	}
	stored, err := j.Journal.Get(ctx, o.ID)
	stored.State, stored.SentAt = o.State, o.SentAt
	return stored, err
}

// deaf lets orders be sent while trading is stopped.
type deaf struct{ execution.Journal }

func (j deaf) Trading(context.Context) (execution.Trading, error) { return execution.Trading{}, nil }

func (j deaf) Reserve(ctx context.Context, o execution.Order, admit func(execution.Usage) error) (execution.Order, bool, error) {
	defer j.lift(ctx)()
	return j.Journal.Reserve(ctx, o, admit)
}

func (j deaf) Advance(ctx context.Context, o execution.Order, s execution.Step) (execution.Order, error) {
	defer j.lift(ctx)()
	return j.Journal.Advance(ctx, o, s)
}

// lift takes the kill switch off for one call.
func (j deaf) lift(ctx context.Context) (restore func()) {
	under := j.Journal.(*journal).Journal
	t, err := under.Trading(ctx)
	if err != nil || !t.Stopped || under.SetTrading(ctx, execution.Trading{}) != nil {
		return func() {}
	}
	return func() { _ = under.SetTrading(context.WithoutCancel(ctx), t) }
}

// lenient counts what is in doubt as not spent.
type lenient struct{ execution.Journal }

func (j lenient) Reserve(ctx context.Context, o execution.Order, admit func(execution.Usage) error) (execution.Order, bool, error) {
	doubts, err := j.List(ctx, execution.Query{States: []execution.State{execution.InDoubt}})
	if err != nil {
		return execution.Order{}, false, err
	}
	return j.Journal.Reserve(ctx, o, func(u execution.Usage) error {
		u.ByMarket = maps.Clone(u.ByMarket)
		for _, o := range doubts {
			m := u.ByMarket[o.Market]
			for _, used := range []*execution.MarketUsage{&u.MarketUsage, &m} {
				used.Open--
				used.Day -= o.Committed()
				used.Locked -= o.Committed()
				used.Unrecorded -= o.Committed()
			}
			u.ByMarket[o.Market] = m
		}
		return admit(u)
	})
}

// hasty stores a move without looking whether the table has it.
type hasty struct{ execution.Journal }

func (j hasty) Advance(ctx context.Context, o execution.Order, s execution.Step) (execution.Order, error) {
	if s.Event == execution.OnSilence {
		o.State, s.State = execution.Rejected, execution.Rejected
	}
	return j.Journal.Advance(ctx, o, s)
}

// insistent buys again under another ID when it got no answer.
type insistent struct{ client }

func (m insistent) Place(ctx context.Context, o execution.Order, offer execution.Offer, wrote func()) (execution.Evidence, error) {
	ev, err := m.client.Place(ctx, o, offer, func() {})
	defer wrote()
	var rejected *execution.RejectedError
	var later *execution.RetryLaterError
	if err != nil && !errors.As(err, &rejected) && !errors.As(err, &later) {
		o.ID += "-2"
		return m.client.Place(ctx, o, offer, wrote)
	}
	return ev, err
}

// impatient says that a request has left before it has.
type impatient struct{ client }

func (m impatient) Place(ctx context.Context, o execution.Order, offer execution.Offer, wrote func()) (execution.Evidence, error) {
	wrote()
	return m.client.Place(ctx, o, offer, func() {})
}

// gullible takes every answer to a look-up for one that the market does not know
// the order.
type gullible struct{ client }

func (m gullible) Lookup(ctx context.Context, o execution.Order) (execution.Evidence, error) {
	_, err := m.client.Lookup(ctx, o)
	return execution.Evidence{}, errors.Join(execution.ErrNotFound, err)
}

// blind never sees what somebody else has bought.
type blind struct{ client }

func (m blind) History(ctx context.Context, since time.Time) ([]execution.Evidence, error) {
	all, err := m.client.History(ctx, since)
	return slices.DeleteFunc(all, func(ev execution.Evidence) bool { return !strings.HasPrefix(string(ev.ID), "sa-") }), err
}

// generous takes what came back for more than it is.
type generous struct{ client }

func (m generous) Track(ctx context.Context, orders []execution.Order) ([]execution.Evidence, error) {
	evs, err := m.client.Track(ctx, orders)
	for i := range evs {
		evs[i].Paid -= pricing.Cent
	}
	return evs, err
}

// crashy is about processes that die in the middle of a purchase.
func crashy(p *plan) {
	p.smooth, p.refuse, p.disk, p.linger = 100, 0, 0, 0
	p.weights["crash"], p.weights["foreign"], p.weights["take over"] = 8, 0, 0
}

// stoppy is about stopping.
func stoppy(p *plan) {
	p.smooth, p.refuse, p.disk = 100, 0, 0
	p.weights["stop"], p.weights["crash"], p.weights["foreign"] = 8, 0, 0
}

// silent is about markets that buy and then say nothing.
func silent(p *plan) {
	p.smooth, p.refuse, p.deafen, p.disk, p.linger, p.steps = 100, 90, 0, 0, 0, 200
	p.exec.ReconcileEvery = 120 * time.Second
	for _, a := range []string{"crash", "foreign", "take over", "shut down", "stop", "hint"} {
		p.weights[a] = 0
	}
}

// TestMutations breaks one thing at a time and sees that the harness notices,
// and for the right reason.
func TestMutations(t *testing.T) {
	journal := func(wrap func(execution.Journal) execution.Journal, shape func(*plan)) mutation {
		return mutation{journal: wrap, shape: shape}
	}
	market := func(wrap func(client) execution.Market, shape func(*plan)) mutation {
		return mutation{market: wrap, shape: shape}
	}
	for name, tc := range map[string]struct {
		mutation
		within uint64 // seeds
		want   string
	}{
		"sent is not journaled":           {journal(func(j execution.Journal) execution.Journal { return forgetful{j} }, crashy), 200, "again, which is bought"},
		"the kill switch is not read":     {journal(func(j execution.Journal) execution.Journal { return deaf{j} }, stoppy), 50, "after a stop"},
		"doubts count as nothing":         {journal(func(j execution.Journal) execution.Journal { return lenient{j} }, nil), 150, "over a limit"},
		"a move that is not in the table": {journal(func(j execution.Journal) execution.Journal { return hasty{j} }, nil), 20, "which the table does not have"},
		"bought again under a new id":     {market(func(m client) execution.Market { return insistent{m} }, nil), 50, "nobody wished for"},
		"said to have left too early":     {market(func(m client) execution.Market { return impatient{m} }, stoppy), 50, "after a stop"},
		"look-ups find nothing":           {market(func(m client) execution.Market { return gullible{m} }, silent), 50, "again, which is bought|calls cancelled"},
		"others' purchases are not seen":  {market(func(m client) execution.Market { return blind{m} }, nil), 20, "is not in the journal"},
		"a cent is lost in the books":     {market(func(m client) execution.Market { return generous{m} }, nil), 20, "the market took"},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := uint64(1); seed <= tc.within; seed++ {
				r := watched(t, seed, tc.mutation)
				if regexp.MustCompile(tc.want).MatchString(strings.Join(r.bad, " ")) {
					t.Logf("seed %d: %s", seed, r.bad[0])
					return
				}
			}
			t.Errorf("%d seeds did not notice", tc.within)
		})
	}
}
