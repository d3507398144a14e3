package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"skinarb/pricing"
)

// runStream measures what is sent whole, /v1/catalog, and what is sent as it
// happens, /v1/stream.
func runStream(ctx context.Context, s *session) error {
	s.progress.say("stream: filling the book")
	book, err := s.rig.book(ctx)
	if err != nil {
		return err
	}
	prices := &liveBook{}
	prices.book.Store(book)
	apis := &apis{prices: prices}
	defer apis.close()
	if err := apis.start(); err != nil {
		return err
	}
	downloads, err := newDownloads(ctx, s, apis)
	if err != nil {
		return err
	}
	defer downloads.close()
	events, err := newEvents(s, prices)
	if err != nil {
		return err
	}
	return s.rounds(ctx, round{tasks: append(downloads.tasks(ctx), events.tasks(ctx)...), after: func() error {
		downloads.compare()
		events.compare()
		return nil
	}})
}

// feedOf gives the feed of a market in the game that is measured.
func feedOf(m pricing.Market) pricing.Feed { return pricing.Feed{Market: m, Game: game} }

// shutdownLimit bounds the end of a server whose clients are gone.
const shutdownLimit = 5 * time.Second

// errNothingOnOffer means that the simulated markets are too small.
var errNothingOnOffer = errors.New("nothing is on offer; more --items would help")

// unexpected is an answer that was not hoped for.
func unexpected(what string, status int, body []byte) error {
	return fmt.Errorf("%s: got status %d: %.200s", what, status, body)
}
