// Command market lets a person use the APIs of SkinsBack and SIH Market from a
// terminal: everything that they can be asked, and every change but a purchase.
//
// One table of commands (skinsback.go, sih.go) says what there is. Parsing, help
// and the documentation are made of it, so a method more is an entry more. A
// command goes through these steps:
//
//  1. read the command line and the settings, and report every mistake at once,
//     before anything is sent;
//  2. if it gives away items or safety, show what will be sent and ask;
//  3. send, through the same clients as the trader, within the account's budget;
//  4. write what the market said as a table, or as JSON, to standard output.
//     Whatever is for a person only goes to standard error.
//
// Purchases are missing on purpose. What makes one safe, the limits, the journal
// and the look-up of what is in doubt, is the trader's executor, and nothing else
// sends one.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"skinarb/internal/pricefeed"
	"skinarb/internal/settings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], outside{
		lookup: os.LookupEnv,
		stdin:  os.Stdin,
		typed:  pricefeed.IsTerminal(os.Stdin),
		zone:   time.Local,
		now:    time.Now,
	}, os.Stdout, os.Stderr))
}

// outside is what the program can learn besides its arguments.
type outside struct {
	lookup func(name string) (string, bool) // the environment
	stdin  io.Reader
	typed  bool           // somebody types at stdin
	zone   *time.Location // in which tables write times
	now    func() time.Time
}

// run is the program; it returns the exit status: 0 when it is done, 2 for
// mistakes in the arguments or settings, 1 when the market refused, did not
// answer, or was not asked since the person said no.
func run(ctx context.Context, args []string, env outside, stdout, stderr io.Writer) int {
	l := split(args)
	switch {
	case l.version:
		fmt.Fprintln(stdout, "market", settings.Version())
		return 0
	case l.help:
		return help(l.words, stdout, stderr)
	}
	cmd, in, mistakes := l.read(env.now())
	var cfg config
	err := cfg.load(l.settings, env.lookup, cmd)
	if err := errors.Join(append(mistakes, err)...); err != nil {
		fmt.Fprintf(stderr, "market: mistakes in the arguments or settings (see %s --help):\n%v\n", cmd.path(), err)
		return 2
	}
	s, err := open(ctx, &cfg, cmd, in, env, stdout, stderr)
	if err == nil {
		err = errors.Join(s.do(ctx), s.close())
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUnconfirmed):
		fmt.Fprintln(stderr, "market:", err)
		return 2
	}
	fmt.Fprintln(stderr, "market:", explain(ctx, cmd, err))
	return 1
}
