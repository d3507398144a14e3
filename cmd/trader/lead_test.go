package main

import (
	"context"
	"errors"
	"testing"

	"skinarb/execution"
)

// noSwitch is a journal whose kill switch cannot be written.
type noSwitch struct{ execution.Journal }

func (noSwitch) SetTrading(context.Context, execution.Trading) error {
	return errors.New("connection refused")
}

// TestStopOutlastsTheTerm: a stop that could not be written is not forgotten when the
// lease is lost and won again.
func TestStopOutlastsTheTerm(t *testing.T) {
	terms := &terms{open: func() (*execution.Executor, error) {
		return execution.New(execution.Config{Journal: noSwitch{}})
	}}
	if err := terms.renew(); err != nil {
		t.Fatal(err)
	}
	if err := terms.executor().Stop(t.Context(), "Redis is down", "operator"); err == nil {
		t.Fatal("it could not be written and nobody says so")
	}
	for term := range 2 {
		if err := terms.renew(); err != nil {
			t.Fatal(err)
		}
		if got, err := terms.executor().Trading(t.Context()); err != nil || !got.Stopped || got.Reason != "Redis is down" {
			t.Errorf("term %d: got %+v, error %v, want it stopped", term+2, got, err)
		}
	}
}
