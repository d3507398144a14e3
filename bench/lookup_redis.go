package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/redis/go-redis/v9"

	"skinarb/internal/freeport"
	"skinarb/pricing"
)

// pricesHash has every answer under its item's name. The same answers are also
// keys of their own, by number, for those that know no hashes or take no names in
// a path.
const pricesHash = "prices"

func answerKey(n int) string { return "price:" + strconv.Itoa(n) }

// answersRedis is a redis-server that holds the answers that our API gives.
type answersRedis struct {
	socket string // shorter than loopback's way
	client *redis.Client
	stop   func()
}

// openAnswersRedis starts a redis-server with the answers for some items.
func openAnswersRedis(ctx context.Context, program, dir string, items []pricing.Item, answers [][]byte) (*answersRedis, error) {
	r := &answersRedis{socket: filepath.Join(dir, "redis.sock")}
	_, _, stop, err := startRedisWith(ctx, program, "--appendonly", "no", "--unixsocket", r.socket)
	if err != nil {
		return nil, err
	}
	r.client = redis.NewClient(&redis.Options{Network: "unix", Addr: r.socket, PoolSize: connections})
	r.stop = func() { r.client.Close(); stop() }
	const share = 1000 // items in one pipeline
	for from := 0; from < len(items); from += share {
		if _, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for n := from; n < min(from+share, len(items)); n++ {
				pipe.HSet(ctx, pricesHash, items[n].String(), answers[n])
				pipe.Set(ctx, answerKey(n), answers[n], 0)
			}
			return nil
		}); err != nil {
			r.stop()
			return nil, fmt.Errorf("fill a redis-server with answers: %w", err)
		}
	}
	return r, nil
}

// hgetServer is an API that asks Redis for every answer.
func hgetServer(client *redis.Client) *fiber.App {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/v1/prices", func(c *fiber.Ctx) error {
		name := c.Query("name")
		if phase := c.Query("phase"); phase != "" {
			name = (pricing.Item{Name: name, Phase: pricing.Phase(phase)}).String()
		}
		// The name lives as long as the request, and so does this call.
		body, err := client.HGet(c.Context(), pricesHash, name).Bytes()
		if errors.Is(err, redis.Nil) {
			return fiber.ErrNotFound
		}
		if err != nil {
			return err
		}
		c.Response().Header.SetContentType(fiber.MIMEApplicationJSON)
		return c.Send(body)
	})
	return app
}

// startWebdis starts webdis over a Redis.
func startWebdis(ctx context.Context, program, dir, socket string) (address string, s *server, err error) {
	port, err := freeport.Pick()
	if err != nil {
		return "", nil, err
	}
	config, err := json.Marshal(map[string]any{
		"redis_host": socket, "http_host": "127.0.0.1", "http_port": port,
		"threads": runtime.NumCPU(), "pool_size": connections, "daemonize": false,
		"verbosity": 0, "logfile": filepath.Join(dir, "webdis.log"),
	})
	if err != nil {
		return "", nil, err
	}
	path := filepath.Join(dir, "webdis.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return "", nil, err
	}
	address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	s, err = startServer(ctx, exec.Command(program, path), address)
	return address, s, err
}

// webdisRequests asks webdis for the answers as they are.
func webdisRequests(n int) []request {
	out := make([]request, n)
	for i := range out {
		out[i] = request{uri: "/GET/" + answerKey(i) + ".txt"}
	}
	return out
}

// getLoad is load in the protocol of Redis: GET of so many answers, on each
// connection the next when the last is there.
func getLoad(ctx context.Context, socket string, keys, connections int, length time.Duration) (rate, error) {
	var (
		over    atomic.Bool
		workers sync.WaitGroup
		took    = make([][]time.Duration, connections)
		errs    = make([]error, connections)
	)
	commands := make([][]byte, keys)
	for n := range commands {
		key := answerKey(n)
		commands[n] = fmt.Appendf(nil, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(key), key)
	}
	defer context.AfterFunc(ctx, func() { over.Store(true) })()
	start := time.Now()
	defer time.AfterFunc(length, func() { over.Store(true) }).Stop()
	for w := range connections {
		workers.Go(func() {
			took[w], errs[w] = getInTurn(socket, commands, w*keys/connections, &over)
			if errs[w] != nil {
				over.Store(true)
			}
		})
	}
	workers.Wait()
	elapsed := time.Since(start)
	if err := errors.Join(ctx.Err(), errors.Join(errs...)); err != nil {
		return rate{}, err
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	return rate{float64(len(all)) / elapsed.Seconds(), all[len(all)/2], all[len(all)*99/100]}, nil
}

// getInTurn sends commands over one connection, from some place on, until over,
// but one at least.
func getInTurn(socket string, commands [][]byte, from int, over *atomic.Bool) (took []time.Duration, err error) {
	conn, err := net.DialTimeout("unix", socket, requestTimeout)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for i := 0; i == 0 || !over.Load(); i++ {
		sent := time.Now()
		if err := conn.SetDeadline(sent.Add(requestTimeout)); err != nil {
			return nil, err
		}
		if _, err := conn.Write(commands[(from+i)%len(commands)]); err != nil {
			return nil, fmt.Errorf("ask redis: %w", err)
		}
		if err := skipBulk(answers); err != nil {
			return nil, fmt.Errorf("read redis's answer: %w", err)
		}
		took = append(took, time.Since(sent))
	}
	return took, nil
}

// skipBulk reads a bulk string to its end.
func skipBulk(r *bufio.Reader) error {
	head, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(string(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("$")))))
	if err != nil || head[0] != '$' || size < 0 {
		return fmt.Errorf("got %.100q, want a value", head)
	}
	if _, err := io.CopyN(io.Discard, r, int64(size)+2); err != nil {
		return err
	}
	return nil
}
