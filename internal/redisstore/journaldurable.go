package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// durableSettings are what a server must be set to so that a write is on its
// disk before it is answered, and stays. Their reasons are in the words of
// redis.conf.
var durableSettings = []struct{ name, want string }{
	{"appendonly", "yes"},
	{"appendfsync", "always"},
	{"no-appendfsync-on-rewrite", "no"}, // else nothing is synced while the file is rewritten
	{"cluster-enabled", "no"},           // a node that is addressed alone is one all the same
}

// Durable is nil if this Redis has every write on disk before it answers, evicts
// nothing, and cannot be replaced by a server that knows less. Else the error
// says what to set, or why no setting helps.
func (j *Journal) Durable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	if err := j.store.durable(ctx); err != nil {
		return fmt.Errorf("this Redis cannot keep a journal: %w", err)
	}
	return nil
}

func (s *Store) durable(ctx context.Context) error {
	if s.loses != "" {
		return errors.New(s.loses)
	}
	var wrong []error
	for _, setting := range durableSettings {
		got, err := s.setting(ctx, setting.name)
		if err != nil {
			return err
		}
		if got != setting.want {
			wrong = append(wrong, fmt.Errorf("set `%s %s` in its configuration: it is %q", setting.name, setting.want, got))
		}
	}
	limit, err := s.setting(ctx, "maxmemory")
	if err != nil {
		return err
	}
	policy, err := s.setting(ctx, "maxmemory-policy")
	if err != nil {
		return err
	}
	if limit != "0" && policy != "noeviction" {
		wrong = append(wrong, fmt.Errorf("set `maxmemory-policy noeviction` in its configuration: it is %q", policy))
	}
	role, err := s.client.Info(ctx, "replication").Result()
	switch {
	case err != nil:
		wrong = append(wrong, fmt.Errorf("ask for its role: %w", err))
	case !strings.Contains(role, "role:master"):
		wrong = append(wrong, errors.New("it is a replica: name its master in the URL"))
	}
	return errors.Join(wrong...)
}

// setting asks the server for one of its settings.
func (s *Store) setting(ctx context.Context, name string) (string, error) {
	found, err := s.client.ConfigGet(ctx, name).Result()
	var refused redis.Error
	switch {
	case errors.As(err, &refused):
		return "", fmt.Errorf("it does not let us see whether it persists every write (CONFIG GET %s: %w): "+
			"allow that with `ACL SETUSER <user> +config|get`, or keep the journal elsewhere", name, err)
	case err != nil:
		return "", fmt.Errorf("ask for the setting %s: %w", name, err)
	}
	return found[name], nil // a server that has no such setting says nothing
}
