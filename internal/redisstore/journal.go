package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"skinarb/execution"
)

const (
	// journalWait bounds every method of a journal.
	journalWait = 10 * time.Second

	// writtenFor is how long the token of a write is remembered: far longer than
	// a command that nobody waits for any more can be on its way.
	writtenFor = 2 * time.Minute

	// maxConflicts is how often a write begins again because another came between.
	maxConflicts = 100

	// journalLayout is the version of the keys and of what they hold.
	journalLayout = "1"
)

// Errors of Journal.
var (
	// ErrFenced says that this process does not lead, or may not lead any more.
	ErrFenced = errors.New("this process does not lead the journal")

	// ErrLost says that the journal is not the one that this process began with,
	// or younger than it was: Redis was emptied, or went back to older data.
	ErrLost = errors.New("the journal lost what it held")

	errConflict = errors.New("others wrote at the same time")
)

// Journal is an execution.Journal that several traders share. Everybody may read
// it and work the kill switch; orders are written by the one that leads, see
// Lead, and by others refused with ErrFenced. All methods are safe for
// concurrent use.
//
// A method that fails with none of the errors of this package or of
// execution.Journal got no answer, and may have written.
type Journal struct {
	store *Store
	keys  journalKeys

	identity string     // of the journal that this process began with; empty: not asked yet
	mu       sync.Mutex // guards identity

	seen atomic.Int64               // highest generation that was answered
	lead atomic.Pointer[leadership] // the last, also when it is over
	turn chan struct{}              // holds one: writers of one process would only disturb each other
}

var _ execution.Journal = (*Journal)(nil)

// Journal gives a journal of this Redis; those of different names share nothing.
// A process opens each once, since only then it notices that one was lost.
func (s *Store) Journal(name string) *Journal {
	return &Journal{store: s, keys: journalKeysOf(name), turn: make(chan struct{}, 1)}
}

// open gives the identity of the journal. The first time it is asked, it creates
// a journal if there is none; after that a journal that is gone stays gone.
func (j *Journal) open(ctx context.Context) (string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.identity != "" {
		return j.identity, nil
	}
	answer, err := journalOpenScript.Run(ctx, j.store.client, []string{j.keys.head}, rand.Text(), journalLayout).StringSlice()
	switch {
	case err != nil:
		return "", fmt.Errorf("open the journal: %w", err)
	case len(answer) != 3 || answer[0] == "":
		return "", fmt.Errorf("open the journal: its head has no identity: %w", ErrLost)
	case answer[1] != journalLayout:
		return "", fmt.Errorf("open the journal: it has layout %q, this program knows %s: %w", answer[1], journalLayout, errNewer)
	}
	if err := j.saw(answer[2]); err != nil {
		return "", fmt.Errorf("open the journal: %w", err)
	}
	j.identity = answer[0]
	return j.identity, nil
}

// saw remembers a generation: the journal never goes back behind it.
func (j *Journal) saw(generation string) error {
	n, err := strconv.ParseInt(generation, 10, 64)
	if err != nil {
		return fmt.Errorf("generation %q is no number", generation)
	}
	for {
		seen := j.seen.Load()
		if n <= seen || j.seen.CompareAndSwap(seen, n) {
			return nil
		}
	}
}

// ask runs a script that begins with journalGuard, and gives the generation and
// what follows it in the answer.
func (j *Journal) ask(ctx context.Context, script *redis.Script, keys []string, args ...any) (generation string, rest []string, err error) {
	seen := j.seen.Load() // before the server is asked: others may be faster
	identity, err := j.open(ctx)
	if err != nil {
		return "", nil, err
	}
	answer, err := script.Run(ctx, j.store.client, append([]string{j.keys.head}, keys...),
		append([]any{identity, seen}, args...)...).StringSlice()
	if err != nil {
		return "", nil, err
	}
	word := ""
	if len(answer) > 0 {
		word = answer[0]
	}
	switch {
	case word == "lost":
		return "", nil, ErrLost
	case word == "fenced":
		return "", nil, ErrFenced
	case word == "conflict":
		return "", nil, errConflict
	case word != "done" || len(answer) < 2:
		return "", nil, fmt.Errorf("the script answered %q", word)
	}
	return answer[1], answer[2:], j.saw(answer[1])
}

// command is a Redis command; its second word is its key.
type command []string

// commit carries out commands in one step. An empty generation or fence is not
// looked at.
func (j *Journal) commit(ctx context.Context, generation, fence string, commands []command) error {
	keys := []string{j.keys.written(rand.Text())}
	args := []any{fence, generation, writtenFor.Milliseconds()}
	for _, c := range commands {
		keys = append(keys, c[1])
		args = append(args, len(c))
		for _, word := range c {
			args = append(args, word)
		}
	}
	_, _, err := j.ask(ctx, journalWriteScript, keys, args...)
	return err
}

// write stores what decide gives, as the leader, in one step with what decide
// read: when something else was written meanwhile, decide is asked again. It is
// told our fencing number, gives the generation that all of its reading saw, and
// may give no commands.
func (j *Journal) write(ctx context.Context, decide func(ctx context.Context, fence string) (generation string, commands []command, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	select {
	case j.turn <- struct{}{}:
		defer func() { <-j.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	lead := j.lead.Load()
	if lead == nil {
		return ErrFenced
	}
	err := errConflict
	for range maxConflicts {
		var generation string
		var commands []command
		if generation, commands, err = decide(ctx, lead.fence); err == nil && len(commands) > 0 {
			err = j.commit(ctx, generation, lead.fence, commands)
		}
		if !errors.Is(err, errConflict) {
			break
		}
	}
	if errors.Is(err, ErrFenced) || errors.Is(err, ErrLost) {
		lead.end() // before the lease's next renewal would find out
	}
	return err
}

// Ping implements execution.Journal: it writes, since a server that is full, or
// a replica, still reads.
func (j *Journal) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	if _, _, err := j.ask(ctx, journalPingScript, nil, time.Now().UTC().Format(time.RFC3339)); err != nil {
		return fmt.Errorf("write to the journal: %w", err)
	}
	return nil
}
