package strategy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"skinarb/pricing"
)

// Engine keeps the opportunities of a book up to date as it changes. One
// goroutine at a time gets to write (Update, SetStatuses, SetRules); any number
// may ask, and see one whole state without waiting.
type Engine struct {
	refs  *References
	state atomic.Pointer[state]

	mu    sync.Mutex // guards what follows, which only writers use
	units map[pricing.Game]*agreement
	rels  []relation  // by position: how units counted it
	marks []bool      // by position: judged in this update; all false between updates
	fresh []candidate // reused
	facts facts       // reused, so that asking the rules makes no garbage
	last  time.Time   // of the last judgement
}

// state is what readers see. It is never changed, only replaced.
type state struct {
	book     *pricing.Book
	rules    *Rules
	terms    [2]terms // by the market that is bought on
	statuses map[pricing.Feed]pricing.FeedStatus
	units    map[pricing.Game]agreement
	ranked   []candidate // best first
}

// candidate passes every rule but the timed ones. It is small, since the ranking
// is copied whenever it changes.
type candidate struct {
	pos    int32
	buyOn  int32 // index into pair
	perDay int64
	profit pricing.Money
}

// New gives an engine with an empty book.
func New(r Rules) *Engine {
	e := &Engine{refs: NewReferences(), units: map[pricing.Game]*agreement{}}
	r = r.complete()
	e.state.Store(&state{book: pricing.NewBook(), rules: &r, terms: termsOf(&r)})
	return e
}

// References gives the engine's memory of asks, to be kept over restarts.
func (e *Engine) References() *References { return e.refs }

// Update takes over a book that differs from the one before at the changed
// positions, or everywhere when full, and judges those items. It judges all of
// them also when a reference slot has passed and when book does not extend the
// one before. Nil statuses leave those in force.
func (e *Engine) Update(book *pricing.Book, changed []int, full bool, statuses []pricing.FeedStatus, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := *e.state.Load()
	full = full || !book.Extends(next.book)
	if e.refs.Observe(book, changed, full, now) {
		full = true
	}
	next.book = book
	if statuses != nil {
		next.statuses = byFeed(statuses)
	}
	e.judge(&next, changed, full, now)
	e.state.Store(&next)
}

// SetStatuses takes over what is known of the feeds.
func (e *Engine) SetStatuses(statuses []pricing.FeedStatus) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := *e.state.Load()
	next.statuses = byFeed(statuses)
	e.state.Store(&next)
}

// SetRules takes over new rules and fees and judges every item by them.
func (e *Engine) SetRules(r Rules, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := *e.state.Load()
	r = r.complete()
	next.rules, next.terms = &r, termsOf(&r)
	e.judge(&next, nil, true, now)
	e.state.Store(&next)
}

// Check judges every item anew, as of the last time that any was judged, and
// tells whether the state that changes have led to is what comes out. If it is
// not, which is a fault of ours, the new one is in force from then on.
func (e *Engine) Check() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	was := e.state.Load()
	next := *was
	e.judge(&next, nil, true, e.last)
	e.state.Store(&next)
	return slices.Equal(was.ranked, next.ranked) && maps.Equal(was.units, next.units)
}

func byFeed(statuses []pricing.FeedStatus) map[pricing.Feed]pricing.FeedStatus {
	m := make(map[pricing.Feed]pricing.FeedStatus, len(statuses))
	for _, s := range statuses {
		m[s.Feed] = s
	}
	return m
}

// judge brings s.ranked and s.units up to date with s.book.
func (e *Engine) judge(s *state, changed []int, full bool, now time.Time) {
	e.last = now
	if full {
		clear(e.units)
		e.rels = e.rels[:0]
	}
	if n := s.book.Len() - len(e.rels); n > 0 {
		e.rels = append(e.rels, make([]relation, n)...)
	}
	if n := s.book.Len() - len(e.marks); n > 0 {
		e.marks = append(e.marks, make([]bool, n)...)
	}
	e.fresh = e.fresh[:0]
	j := judging{engine: e, state: s, now: now}
	if full {
		for _, g := range pricing.Games {
			j.whole(g)
		}
	} else {
		for _, pos := range changed {
			if !e.marks[pos] {
				e.marks[pos] = true
				it := s.book.Item(pos)
				j.turnTo(it.Game)
				j.item(pos, it)
			}
		}
	}

	slices.SortFunc(e.fresh, s.better)
	if full {
		s.ranked = slices.Clone(e.fresh)
	} else {
		s.ranked = e.splice(s)
		for _, pos := range changed {
			e.marks[pos] = false
		}
	}
	s.units = make(map[pricing.Game]agreement, len(e.units))
	for g, u := range e.units {
		s.units[g] = *u
	}
}

// judging is one pass over items. It remembers the columns of the last game,
// because neighbours are of the same one.
type judging struct {
	engine *Engine
	state  *state
	now    time.Time

	game  pricing.Game
	cols  columns
	units *agreement
}

// whole judges all items of a game. One that is not on both markets needs no more
// than a look at its asks: nothing was counted before.
func (j *judging) whole(game pricing.Game) {
	j.turnTo(game)
	n := min(len(j.cols.asks[0]), len(j.cols.asks[1]))
	first, second := j.cols.asks[0][:n], j.cols.asks[1][:n]
	for pos, ask := range first {
		if ask != 0 && second[pos] != 0 {
			j.item(pos, j.state.book.Item(pos))
		}
	}
}

// turnTo goes on with items of a game.
func (j *judging) turnTo(game pricing.Game) {
	if j.units != nil && game == j.game {
		return
	}
	j.game, j.cols = game, columnsOf(j.state.book, game)
	if j.units = j.engine.units[game]; j.units == nil {
		j.units = &agreement{}
		j.engine.units[game] = j.units
	}
}

// item judges the item at a position, of the game turned to, in both directions.
func (j *judging) item(pos int, it pricing.Item) {
	asks := [2]pricing.Money{j.cols.ask(0, pos), j.cols.ask(1, pos)}
	rel := relate(it.Phase, asks[0], asks[1])
	j.units.move(j.engine.rels[pos], rel)
	j.engine.rels[pos] = rel
	if rel == apart {
		return
	}
	for buyOn := range pair {
		buy, sell := asks[buyOn], asks[1-buyOn]
		// One of the rules, asked first because it settles nearly every item; and
		// before that what it comes to without fees, which are never negative.
		if sell-buy < j.state.rules.MinProfit {
			continue
		}
		t := &j.state.terms[buyOn]
		g := t.profit(buy, sell)
		if g.profit < j.state.rules.MinProfit {
			continue
		}
		if t.returns(&g); g.edge < j.state.rules.MinEdgeBps { // another one, before what costs more
			continue
		}
		ls := j.cols.at(pos)
		f := &j.engine.facts
		*f = facts{rules: j.state.rules, item: it, buyOn: buyOn, figures: g}
		for m, l := range ls {
			f.legs[m] = leg{ask: l.Ask, count: l.Count}
		}
		f.reference, f.refSource = j.engine.refs.of(it, ls, j.now)
		if f.lasting() {
			j.engine.fresh = append(j.engine.fresh, candidate{int32(pos), int32(buyOn), g.perDay, g.profit})
		}
	}
}

// better orders candidates by return, then profit, then name; no two are equal.
func (s *state) better(x, y candidate) int {
	if x.perDay != y.perDay {
		return cmp.Compare(y.perDay, x.perDay)
	}
	if x.profit != y.profit {
		return cmp.Compare(y.profit, x.profit)
	}
	a, b := s.book.Item(int(x.pos)), s.book.Item(int(y.pos))
	return cmp.Or(
		strings.Compare(a.Name, b.Name),
		strings.Compare(string(a.Phase), string(b.Phase)),
		strings.Compare(string(a.Game), string(b.Game)),
		cmp.Compare(x.buyOn, y.buyOn),
	)
}

// splice gives the ranking without the items that were judged anew, and with
// what is fresh of them where it belongs. Few are fresh, so that nearly all of
// the ranking is copied without being compared.
func (e *Engine) splice(s *state) []candidate {
	if len(e.fresh) == 0 && e.judged(s.ranked) == len(s.ranked) {
		return s.ranked
	}
	ranked, out := s.ranked, make([]candidate, 0, len(s.ranked)+len(e.fresh))
	for _, c := range e.fresh {
		n, _ := slices.BinarySearchFunc(ranked, c, s.better)
		out = append(e.keep(out, ranked[:n]), c)
		ranked = ranked[n:]
	}
	return e.keep(out, ranked)
}

// keep appends what was not judged anew.
func (e *Engine) keep(out, ranked []candidate) []candidate {
	for {
		n := e.judged(ranked)
		out = append(out, ranked[:n]...)
		if n == len(ranked) {
			return out
		}
		ranked = ranked[n+1:]
	}
}

// judged gives where the first item stands that was judged anew, or the length.
func (e *Engine) judged(ranked []candidate) int {
	for i := range ranked {
		if e.marks[ranked[i].pos] {
			return i
		}
	}
	return len(ranked)
}

// Opportunities gives what is worth buying as of now, best first: by return for
// each locked day, then profit, then name.
func (e *Engine) Opportunities(now time.Time) []Opportunity {
	s := e.state.Load()
	open := map[pricing.Game]bool{}
	out := make([]Opportunity, 0, len(s.ranked))
	for _, c := range s.ranked {
		it := s.book.Item(int(c.pos))
		// Timed rules are the same for all items of a game and for both
		// directions, since they ask the same of both legs.
		ok, known := open[it.Game]
		if !known {
			f := s.facts(s.book, it, int(c.buyOn), now)
			ok = f.open()
			open[it.Game] = ok
		}
		if ok {
			out = append(out, s.opportunity(s.book, it, int(c.buyOn)))
		}
	}
	return out
}

// opportunity has the figures as far as both asks are known.
func (s *state) opportunity(book *pricing.Book, it pricing.Item, buyOn int) Opportunity {
	o := Opportunity{Item: it}
	o.Buy, _ = book.Quote(pair[buyOn], it)
	o.Sell, _ = book.Quote(pair[1-buyOn], it)
	o.ObservedAt = o.Buy.ObservedAt
	if o.Sell.ObservedAt.Before(o.ObservedAt) {
		o.ObservedAt = o.Sell.ObservedAt
	}
	o.ExpiresAt = o.ObservedAt.Add(s.rules.MaxAge)
	if priced(o.Buy.Ask) && priced(o.Sell.Ask) {
		g := s.terms[buyOn].figures(o.Buy.Ask, o.Sell.Ask)
		o.Cost, o.Proceeds, o.Profit, o.EdgeBps, o.ReturnBps = g.cost, g.proceeds, g.profit, g.edge, g.perDay
	}
	return o
}

// facts gathers what the rules judge, except the reference and the figures.
func (s *state) facts(book *pricing.Book, it pricing.Item, buyOn int, now time.Time) facts {
	f := facts{rules: s.rules, item: it, buyOn: buyOn, now: now}
	for m, market := range pair {
		feed := pricing.Feed{Market: market, Game: it.Game}
		f.legs[m].feed = s.statuses[feed]
		if c, ok := book.Catalog(feed); ok {
			f.legs[m].observedAt = c.ObservedAt
		}
		if q, ok := book.Quote(market, it); ok && priced(q.Ask) {
			f.legs[m].ask, f.legs[m].count = q.Ask, q.Count
		}
	}
	if book == s.book {
		f.units = s.units[it.Game]
	} else {
		f.units = agreementOf(book, it.Game)
	}
	return f
}

// Verdicts gives every rule's word on an item, for both directions.
func (e *Engine) Verdicts(it pricing.Item, now time.Time) []Verdict {
	s := e.state.Load()
	var out []Verdict
	for buyOn := range pair {
		f := e.gather(s, s.book, it, buyOn, 0, now)
		out = append(out, f.verdicts()...)
	}
	return out
}

// Evaluate judges one direction of one item in a book of the caller's, by the
// rules, statuses and references in force. The opportunity has the figures as
// far as they are known; it is one only if all verdicts pass.
func (e *Engine) Evaluate(book *pricing.Book, it pricing.Item, buyMarket, sellMarket pricing.Market, now time.Time) (Opportunity, []Verdict) {
	s := e.state.Load()
	buyOn, ok := direction(buyMarket, sellMarket)
	if !ok {
		return Opportunity{Item: it}, []Verdict{noDirection(buyMarket, sellMarket)}
	}
	f := e.gather(s, book, it, buyOn, 0, now)
	return s.opportunity(book, it, buyOn), f.verdicts()
}

// Recheck judges a purchase by every rule once more, with the ask that the
// market has just told in place of the book's. It gives a *RefusedError when a
// rule forbids it.
func (e *Engine) Recheck(it pricing.Item, buyMarket, sellMarket pricing.Market, freshAsk pricing.Money, now time.Time) error {
	s := e.state.Load()
	buyOn, ok := direction(buyMarket, sellMarket)
	if !ok {
		return &RefusedError{[]Verdict{noDirection(buyMarket, sellMarket)}}
	}
	if freshAsk <= 0 || freshAsk > pricing.MaxMoney {
		freshAsk = -1 // no offer, rather than the book's ask
	}
	f := e.gather(s, s.book, it, buyOn, freshAsk, now)
	failed := slices.DeleteFunc(f.verdicts(), func(v Verdict) bool { return v.Pass })
	if len(failed) > 0 {
		return &RefusedError{failed}
	}
	return nil
}

// gather completes the facts. A freshAsk other than 0 takes the place of the
// ask that the book has where it is bought.
func (e *Engine) gather(s *state, book *pricing.Book, it pricing.Item, buyOn int, freshAsk pricing.Money, now time.Time) *facts {
	f := s.facts(book, it, buyOn, now)
	if freshAsk != 0 {
		f.buy().ask = freshAsk
	}
	if f.offered() {
		f.figures = s.terms[buyOn].figures(f.buy().ask, f.sell().ask)
	}
	if pos, ok := book.Position(it); ok {
		cols := columnsOf(book, it.Game)
		f.reference, f.refSource = e.refs.of(it, cols.at(pos), now)
	}
	return &f
}

// direction gives where is bought; markets must be the two that are traded
// between.
func direction(buy, sell pricing.Market) (buyOn int, ok bool) {
	for m := range pair {
		if pair[m] == buy && pair[1-m] == sell {
			return m, true
		}
	}
	return 0, false
}

func noDirection(buy, sell pricing.Market) Verdict {
	return Verdict{Buy: buy, Sell: sell, Rule: "on_offer", Detail: "these are not two markets that are traded between"}
}
