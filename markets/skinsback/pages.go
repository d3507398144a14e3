package skinsback

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// items is an answer with a list. Items is nil when it has none, which is not the
// same as an empty list: that one says that nothing was found.
type items[F any] struct {
	Items *list[F] `json:"items"`
}

// each converts every row of an answer.
func each[F, T any](answer items[F], method string, convert func(F) T) ([]T, error) {
	if answer.Items == nil {
		return nil, fmt.Errorf("%s: the answer has no items", method)
	}
	all := make([]T, 0, len(*answer.Items))
	for _, f := range *answer.Items {
		all = append(all, convert(f))
	}
	return all, nil
}

// page is one answer of a method that gives a thousand rows at a time.
type page[F any] struct {
	items[F]
	HasMore   text `json:"has_more"`
	StartFrom text `json:"start_from"`
}

// maxPages bounds a list: a hundred thousand rows.
const maxPages = 100

// allPages asks for page after page. What start_from counts is not documented, so
// it is handed back as it came. Of rows with one key the later one stays: what is
// new meanwhile may shift the pages, so that a row comes again. A row without a
// key is always another one.
func allPages[F, T any](ctx context.Context, c *Client, method string, p params, convert func(F) T, key func(T) string) ([]T, error) {
	var all []T
	place := map[string]int{} // in all, by key
	asked := map[text]bool{}  // cursors
	cursor := text("")
	for range maxPages {
		if cursor != "" {
			p["start_from"] = string(cursor)
		}
		var answer page[F]
		if err := c.read(ctx, method, p, &answer); err != nil {
			return nil, err
		}
		found, err := each(answer.items, method, convert)
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			k := key(row)
			if i, ok := place[k]; ok && k != "" {
				all[i] = row
				continue
			}
			place[k] = len(all)
			all = append(all, row)
		}
		more, err := answer.HasMore.flag()
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: has_more: %w", method, err)
		case !more:
			return all, nil
		}
		asked[cursor] = true
		if cursor = answer.StartFrom; asked[cursor] {
			return nil, fmt.Errorf("%s: %w", method, errNoMorePages)
		}
	}
	return nil, fmt.Errorf("%s: more than %d pages", method, maxPages)
}

var errNoMorePages = errors.New("more pages are promised and none comes")

// within are the parameters of a range of time, both ends included.
func within(from, to time.Time) params {
	return params{
		"starting": strconv.FormatInt(max(0, from.Unix()), 10),
		"ending":   strconv.FormatInt(max(0, to.Unix()), 10),
	}
}
