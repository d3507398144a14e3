package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"skinarb/execution"
	"skinarb/fetch"
	"skinarb/internal/pricefeed"
	"skinarb/internal/redisstore"
	"skinarb/markets/sih"
	"skinarb/markets/skinsback"
	"skinarb/pricing"
)

// session is one command under way.
type session struct {
	cmd *command
	cfg *config
	in  *input
	env outside

	skinsback *skinsback.Client // of these two the one that the command is about
	sih       *sih.Client
	store     *redisstore.Store

	out  *sheet
	note *progress
}

// open connects what a command needs. It sends nothing to a market.
func open(ctx context.Context, cfg *config, cmd *command, in *input, env outside, stdout, stderr io.Writer) (*session, error) {
	plain, _ := env.lookup("NO_COLOR")
	s := &session{cmd: cmd, cfg: cfg, in: in, env: env,
		out:  newSheet(stdout, cmd, in, env.zone, pricefeed.IsTerminal(stdout) && plain == ""),
		note: newProgress(stderr, pricefeed.IsTerminal(stderr)),
	}
	var err error
	if cfg.redisURL != "" {
		s.store, err = redisstore.Open(ctx, cfg.redisURL)
	} else {
		s.store, err = redisstore.OpenEmbedded("")
	}
	if err != nil {
		return nil, err
	}
	if err := s.connect(); err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	return s, nil
}

// connect makes the client of the market.
func (s *session) connect() (err error) {
	dial := s.note.counting((&net.Dialer{KeepAlive: 30 * time.Second}).DialContext)
	paced := func(m pricing.Market, perMinute int) fetch.Budget {
		return announced{s.store.Budget(m, perMinute), s.note, m, perMinute}
	}
	switch s.cmd.market {
	case pricing.SkinsBack:
		m := s.cfg.skinsback
		s.skinsback, err = skinsback.New(skinsback.Config{
			URL: m.URL, ClientID: m.ClientID, ClientSecret: m.ClientSecret, Auth: skinsback.Auth(m.Auth),
			Budget: paced(pricing.SkinsBack, m.RatePerMinute), Dial: dial, Now: s.env.now, Log: slog.New(slog.NewTextHandler(s.note, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
	case pricing.SIH:
		m := s.cfg.sih
		s.sih, err = sih.New(sih.Config{
			URL: m.URL, APIKey: m.APIKey, Budget: paced(pricing.SIH, m.RatePerMinute), Dial: dial, Now: s.env.now,
			// Nothing is bought with it: the client keeps the token out of its errors.
			Recipient: sih.Recipient{SteamID: s.cfg.recipient.SteamID, Token: s.cfg.recipient.Token},
		})
	}
	return err
}

// close ends what open began.
func (s *session) close() error {
	if s.skinsback != nil {
		s.skinsback.Close()
	}
	return s.store.Close()
}

// do runs the command and writes its answer.
func (s *session) do(ctx context.Context) error {
	if !s.cmd.live { // whoever listens wants to wait
		s.note.begin(s.cmd.path())
	}
	err := s.cmd.run(ctx, s)
	s.note.end()
	whole := isWhole(err)
	if err != nil && !s.out.touched() && !(whole && s.out.json) {
		return err // a table of nothing would look like an answer
	}
	err = errors.Join(err, s.out.end(whole))
	if said := s.out.summary(); said != "" {
		s.note.say(said)
	}
	return err
}

// isWhole tells whether the market's answer is all there. It is after an error
// that is part of it, too: something was left out, or the market does not know it.
func isWhole(err error) bool {
	var partly *partlyError
	return err == nil || errors.As(err, &partly) || errors.Is(err, execution.ErrNotFound)
}

// afterwards is how long a change may go on after Ctrl-C: given up on the wire,
// nobody would know whether it happened.
const afterwards = 8 * time.Second

// send makes a change.
func (s *session) send(ctx context.Context, change func(context.Context) error) error {
	if ctx.Err() != nil {
		return errDeclined
	}
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		s.note.say("waiting for the market's answer, so that it is known what happened; Ctrl-C again ends at once")
		timer := time.AfterFunc(afterwards, cancel)
		context.AfterFunc(late, func() { timer.Stop() })
	})()
	return change(late)
}

// Why a command that gives something away was not sent.
var (
	errUnconfirmed = errors.New("nothing was sent: this gives something away; say --yes, or run it on a terminal and confirm")
	errDeclined    = errors.New("nothing was sent")
)

// confirm shows what will be sent and returns nil if it may be: after --yes, or
// when somebody types yes.
func (s *session) confirm(ctx context.Context, what ...string) error {
	s.note.say(fmt.Sprintf("%s: %s\n  %s", s.cmd.path(), s.cmd.gives, strings.Join(what, "\n  ")))
	switch {
	case s.in.on("yes"):
		return ctx.Err()
	case !s.env.typed:
		return errUnconfirmed
	}
	defer s.note.ask("Type yes to send it: ")()
	answers := make(chan string, 1)
	go func() { // ends with the program if nobody ever types
		answer, _ := bufio.NewReader(io.LimitReader(s.env.stdin, 100)).ReadString('\n')
		answers <- strings.TrimSpace(answer)
	}()
	select {
	case <-ctx.Done():
		s.note.say("") // the question's line ends here
		return errDeclined
	case answer := <-answers:
		if answer != "yes" {
			return errDeclined
		}
		return nil
	}
}
