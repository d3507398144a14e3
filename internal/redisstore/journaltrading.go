package redisstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"skinarb/execution"
)

// wireTrading is the kill switch as it is stored.
type wireTrading struct {
	Stopped bool      `json:"stopped"`
	Reason  string    `json:"reason,omitempty"`
	By      string    `json:"by,omitempty"`
	At      time.Time `json:"at"`
}

// Trading implements execution.Journal.
func (j *Journal) Trading(ctx context.Context) (execution.Trading, error) {
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	var w wireTrading
	_, rest, err := j.ask(ctx, journalFieldsScript, []string{j.keys.head}, "trading")
	if err == nil && len(rest) == 1 && rest[0] != "" {
		err = json.Unmarshal([]byte(rest[0]), &w)
	}
	if err != nil {
		return execution.Trading{}, fmt.Errorf("read the kill switch: %w", err)
	}
	return execution.Trading(w), nil
}

// SetTrading implements execution.Journal. Who does not lead may stop too. It
// counts as a write of every order: a reservation or a step to sent that has not
// seen it begins again.
func (j *Journal) SetTrading(ctx context.Context, t execution.Trading) error {
	ctx, cancel := context.WithTimeout(ctx, journalWait)
	defer cancel()
	stopped := "0"
	if t.Stopped {
		stopped = "1"
	}
	t.At = t.At.UTC()
	text, err := json.Marshal(wireTrading(t))
	if err == nil {
		err = j.commit(ctx, "", "", []command{{"HSET", j.keys.head, "stopped", stopped, "trading", string(text)}})
	}
	if err != nil {
		return fmt.Errorf("write the kill switch: %w", err)
	}
	return nil
}
