package selling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"skinarb/pricing"
)

// Look asks every market once what became of our listings, and writes it down. An
// error says which market did not answer, or what could not be written; the next
// look finds the same again.
func (k *Keeper) Look(ctx context.Context) error {
	late := k.lateIsDue()
	var errs []error
	if late {
		errs = append(errs, k.prune(ctx))
	}
	for _, m := range k.cfg.Markets {
		if err := k.look(ctx, m, late); err != nil {
			errs = append(errs, fmt.Errorf("look at what is on sale on %s: %w", m.Market(), err))
		}
	}
	return errors.Join(errs...)
}

func (k *Keeper) look(ctx context.Context, m Market, late bool) error {
	asked, err := k.cfg.Journal.InStates(ctx, m.Market(), time.Time{}, OpenStates...)
	if err != nil {
		return err
	}
	// What has no answer yet is not looked for. What is sent and not under way is a
	// listing whose answer could not be written down.
	asked = slices.DeleteFunc(asked, func(l Listing) bool { return k.flies(l.Holder) })
	for i, l := range asked {
		if l.State == Sent {
			if asked[i], err = k.advance(ctx, l, OnSilence, "the answer was not written down"); err != nil {
				return err
			}
		}
	}
	var ended []Listing
	if late {
		if ended, err = k.nextEnded(ctx, m.Market()); err != nil {
			return err
		}
		asked = append(asked, ended...)
	}
	if len(asked) == 0 {
		return nil
	}
	asking, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	words, credits, failed := m.Look(asking, asked)
	if late && failed == nil {
		k.askedEnded(m.Market(), ended)
	}
	return errors.Join(failed, k.heed(ctx, m, asked, words), k.credit(ctx, m.Market(), credits), k.takeOffPaid(ctx, m.Market()))
}

// heed applies a market's words on the listings that it was asked about, and
// takes those off sale that should not be.
func (k *Keeper) heed(ctx context.Context, m Market, asked []Listing, words []Word) error {
	var errs []error
	known := map[ListingID]Listing{}
	for _, l := range asked {
		known[l.ID] = l
	}
	for _, w := range words {
		l, ok := known[w.ID]
		if !ok && w.Event == OnListed && strings.HasPrefix(string(w.ID), ListingPrefix) {
			stored, err := k.cfg.Journal.Listing(ctx, w.ID)
			if errors.Is(err, ErrNoListing) {
				continue // of another journal, or forgotten
			}
			// One that is open was not asked about because it is new: the next look
			// does, and its market can then tell what it shows from what was meant.
			l, ok = stored, err == nil && !stored.State.Open()
			errs = append(errs, err)
		}
		if ok {
			errs = append(errs, k.heedOne(ctx, m, l, w))
		}
	}
	return unlessStale(errs)
}

// unlessStale joins errors but for those of listings that changed meanwhile: the
// next look sees what they became.
func unlessStale(errs []error) error {
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, ErrStale) })...)
}

func (k *Keeper) heedOne(ctx context.Context, m Market, l Listing, w Word) error {
	switch {
	case !l.State.Open() && w.Event == OnListed:
		return k.takeOff(ctx, m, l)
	case !l.State.Open() && w.Event != OnSold, k.flies(l.Holder) && w.Event != OnSold:
		return nil
	case !w.Shown && w.Event == "":
		return k.notShown(ctx, l)
	}
	k.mu.Lock()
	delete(k.missed, l.ID)
	k.mu.Unlock()
	stored, err := k.hear(ctx, l, w)
	if err != nil {
		return err
	}
	switch {
	case stored.State == Listed && w.underbids(stored) && stored.OfferID == "":
		if l.State == Listed { // else it was told just now
			k.cfg.Notify(underbid(stored, w))
		}
		_, err = k.Withdraw(ctx, stored, fmt.Sprintf("on sale for %s, below its floor of %s", w.Price, stored.Floor))
	case stored.State == Withdrawing && (w.Event == OnListed || w.Event == OnWithdraw):
		_, err = k.Withdraw(ctx, stored, stored.Error) // it may not have heard us
	}
	return err
}

// underbids tells whether the market has a listing for less than its floor.
func (w Word) underbids(l Listing) bool { return w.Price > 0 && w.Price < l.Floor }

// underbid is what a person should hear of that. What waits for a trade offer to be
// accepted is a person's to decline; the rest Look takes off.
func underbid(l Listing, w Word) Notice {
	then := "it is taken off"
	if l.OfferID != "" {
		then = "decline trade offer " + l.OfferID
	}
	return Notice{NoticeUnderbid, l.Market, l.ID, fmt.Sprintf("%s would be sold on %s for %s, below its floor of %s: %s", l.Item, l.Market, w.Price, l.Floor, then)}
}

// hear applies a market's word and stores what it changed. A word that fits no
// arrow moves nothing. With an error it gives l as it was.
func (k *Keeper) hear(ctx context.Context, l Listing, w Word) (Listing, error) {
	next, err := apply(l, w, k.now())
	if err != nil {
		k.log.Error("a market's word does not fit", "listing", l.ID, "market", l.Market, "err", err)
	}
	stored, err := k.store(ctx, l, next)
	if err != nil {
		return l, err
	}
	switch {
	case l.State == stored.State:
	case stored.State == Listed && w.underbids(l):
		k.cfg.Notify(underbid(stored, w))
	case stored.State == Listed && stored.OfferID != "" && l.State != Gone:
		k.cfg.Notify(Notice{NoticeOffer, l.Market, l.ID, fmt.Sprintf("%s takes %s for %s once its trade offer %s is accepted on Steam", l.Market, l.Item, l.Price, stored.OfferID)})
	case stored.State == Sold && !l.State.Open():
		k.cfg.Notify(Notice{NoticeLate, l.Market, l.ID, fmt.Sprintf("%s credited %s for %s, whose listing had ended as %s", l.Market, w.Proceeds, l.Item, l.State)})
	}
	return stored, nil
}

// apply gives l after a market's word on it.
func apply(l Listing, w Word, now time.Time) (Listing, error) {
	next := l
	if w.MarketRef != "" {
		next.MarketRef = clip(w.MarketRef)
	}
	if w.OfferID != "" {
		next.OfferID = clip(w.OfferID)
	}
	if w.Event == "" {
		return touched(l, next, now), nil
	}
	reason := ""
	switch {
	case w.Event == OnReturned, w.Event == OnWithdraw:
		reason = w.Status
	case w.Event == OnSold && l.State != Sold:
		next.Proceeds, next.CreditRef = w.Proceeds, clip(w.CreditRef)
		if w.Proceeds <= 0 {
			reason = "sold, and what was credited was not told"
		}
	}
	moved, err := move(next, w.Event, reason, now)
	if err != nil {
		return l, err
	}
	return touched(l, moved, now), nil
}

// touched notes when a listing changed, if it did.
func touched(before, after Listing, now time.Time) Listing {
	if after != before {
		after.UpdatedAt = now
	}
	return after
}

// notShown counts a market's word that it does not show a listing. It must be
// said twice, some seconds apart, and long enough after a request without an
// answer that the market can no longer be at work on it.
func (k *Keeper) notShown(ctx context.Context, l Listing) error {
	if l.State == Gone || l.State == InDoubt && k.now().Sub(l.UpdatedAt) < k.cfg.Grace {
		return nil
	}
	now := k.cfg.Now()
	k.mu.Lock()
	first, seen := k.missed[l.ID]
	if !seen {
		k.missed[l.ID] = now
	}
	event, why := OnMissed, "looked for twice, and not on sale"
	if l.State == Withdrawing && k.removed[l.ID] {
		event, why = OnTaken, l.Error
	}
	k.mu.Unlock()
	if !seen || now.Sub(first) < confirmAfter {
		return nil
	}
	if l.State == InDoubt {
		why += "; before that: " + l.Error
	}
	_, err := k.advance(ctx, l, event, why)
	if err == nil {
		k.forget(l.ID)
	}
	return err
}

// takeOff takes a listing off sale that has ended in our eyes: its goods are
// ours to list again, and must not be there twice.
func (k *Keeper) takeOff(ctx context.Context, m Market, l Listing) error {
	if l.State == Sold {
		return nil // the market shows it a moment longer
	}
	k.tellOfStray(l, fmt.Sprintf("under a listing that was %s; it is taken off", l.State))
	if err := m.Withdraw(ctx, l); err != nil {
		return fmt.Errorf("take the ended listing %s off sale: %w", l.ID, err)
	}
	return nil
}

// tellOfStray lets a person hear, once, that something is on sale that should not be.
func (k *Keeper) tellOfStray(l Listing, how string) {
	k.mu.Lock()
	told := k.strays[l.ID]
	k.strays[l.ID] = true
	k.mu.Unlock()
	if told {
		return
	}
	k.log.Warn("on sale and should not be", "listing", l.ID, "market", l.Market, "state", l.State, "how", how)
	k.cfg.Notify(Notice{NoticeStray, l.Market, l.ID, fmt.Sprintf("%s is on sale on %s %s", l.Item, l.Market, how)})
}

// credit finds the sales for which an account was credited without being told
// which: the oldest listing that is gone and whose proceeds are that amount.
func (k *Keeper) credit(ctx context.Context, m pricing.Market, credits []Credit) error {
	if len(credits) == 0 {
		return nil
	}
	gone, err := k.cfg.Journal.InStates(ctx, m, time.Time{}, Gone)
	if err != nil {
		return err
	}
	for _, c := range credits {
		i := slices.IndexFunc(gone, func(l Listing) bool { return c.pays(l, k.cfg.Fees[m]) })
		if i < 0 {
			continue
		}
		_, err := k.hear(ctx, gone[i], Word{ID: gone[i].ID, Event: OnSold, Shown: true, Proceeds: c.Amount, CreditRef: c.Ref})
		switch {
		case errors.Is(err, ErrCredited): // it was for another
		case err != nil:
			return err
		default:
			gone = slices.Delete(gone, i, i+1)
		}
	}
	return nil
}

// pays tells whether a credit can be for a listing: it came after it, and is to
// the cent what the listing's price should bring.
func (c Credit) pays(l Listing, f pricing.Fees) bool {
	off := c.Amount - Proceeds(f, l.Price)
	return c.Ref != "" && (c.At.IsZero() || c.At.After(l.CreatedAt)) && off >= -pricing.Cent && off <= pricing.Cent
}
