package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

const (
	kind      = "purchase" // of work, to the queues
	queueName = "bench-orders"
	dayLong   = 24 * time.Hour // for how long a unit must stay the only one
	eagerly   = time.Millisecond
)

// asynqQueue is asynq on a Redis that somebody else started.
type asynqQueue struct {
	redis     asynq.RedisClientOpt
	client    *asynq.Client
	inspector *asynq.Inspector
	fsync     string // what the server says of appendfsync
	version   string // of the server
}

func openAsynq(ctx context.Context, args []string) (queue, error) {
	if len(args) != 1 {
		return nil, errors.New("it takes the address of a Redis, such as 127.0.0.1:6379")
	}
	server := redis.NewClient(&redis.Options{Addr: args[0]})
	defer server.Close()
	config, err := server.ConfigGet(ctx, "append*").Result()
	if err != nil {
		return nil, fmt.Errorf("ask the server how it persists: %w", err)
	}
	info, err := server.InfoMap(ctx, "server").Result()
	if err != nil {
		return nil, fmt.Errorf("ask the server what it is: %w", err)
	}
	q := &asynqQueue{redis: asynq.RedisClientOpt{Addr: args[0]}, fsync: config["appendfsync"], version: info["Server"]["redis_version"]}
	if config["appendonly"] != "yes" {
		q.fsync = "off"
	}
	q.client, q.inspector = asynq.NewClient(q.redis), asynq.NewInspector(q.redis)
	return q, nil
}

func (q *asynqQueue) hello() hello {
	survives := map[string]string{
		"always":   "an acknowledged enqueue survives kill -9 of the program, kill -9 of the server, and a power cut",
		"everysec": "an acknowledged enqueue survives kill -9 of the program and, as a rule, of the server; a power cut takes the last second or two",
	}
	durability, known := survives[q.fsync]
	if !known {
		durability = "an acknowledged enqueue survives kill -9 of the program and nothing else"
	}
	return hello{
		Name:       fmt.Sprintf("asynq %s, Redis %s appendfsync %s", version("github.com/hibiken/asynq"), q.version, q.fsync),
		Durability: durability + ". What makes it unique is a lock that ends after its TTL and when the task is done",
		Settings:   fmt.Sprintf("Unique(24h); TaskCheckInterval %s instead of 1 s, Concurrency 1", eagerly),
	}
}

func (q *asynqQueue) insert(ctx context.Context, u unit) (bool, error) {
	payload, err := json.Marshal(u)
	if err != nil {
		return false, err
	}
	_, err = q.client.EnqueueContext(ctx, asynq.NewTask(kind, payload), asynq.Unique(dayLong), asynq.Queue(queueName))
	if errors.Is(err, asynq.ErrDuplicateTask) {
		return false, nil
	}
	return err == nil, err
}

func (q *asynqQueue) work(_ context.Context, do func(unit)) (func() error, error) {
	server := asynq.NewServer(q.redis, asynq.Config{
		Concurrency: 1, Queues: map[string]int{queueName: 1}, TaskCheckInterval: eagerly,
		LogLevel: asynq.FatalLevel,
	})
	err := server.Start(asynq.HandlerFunc(func(_ context.Context, t *asynq.Task) error {
		var u unit
		if err := json.Unmarshal(t.Payload(), &u); err != nil {
			return err
		}
		do(u)
		return nil
	}))
	if err != nil {
		return nil, err
	}
	return func() error { server.Shutdown(); return nil }, nil
}

func (q *asynqQueue) clear(context.Context) error {
	err := q.inspector.DeleteQueue(queueName, true)
	if err != nil && !errors.Is(err, asynq.ErrQueueNotFound) {
		return err
	}
	// A client announces a queue once, and deleted ones are not announced again.
	if err := q.client.Close(); err != nil {
		return err
	}
	q.client = asynq.NewClient(q.redis)
	return nil
}

func (q *asynqQueue) close() error { return errors.Join(q.client.Close(), q.inspector.Close()) }

func init() { log.SetOutput(io.Discard) }
