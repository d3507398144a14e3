package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"skinarb/internal/settings"
	"skinarb/pricing"
)

// Bounds of what is read to learn an instance's names.
const (
	maxNames    = 50_000
	maxLine     = 1 << 20 // bytes
	namesWithin = time.Minute
)

// runTarget measures look-ups on an instance that runs already: names that it
// has, one by one and in batches, at full speed and at a steady rate.
func runTarget(ctx context.Context, s *session) error {
	token, err := readToken(s.outside.lookup)
	if err != nil {
		return err
	}
	at := &instance{url: s.opts.target, token: token}
	s.progress.say("target: asking what there is")
	items, err := at.items(ctx)
	if err != nil {
		return err
	}
	rand.New(rand.NewPCG(s.opts.seed, 0)).Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	many, err := batchRequests(items)
	if err != nil {
		return err
	}
	s.out.note("%s, %d of its names of %s in random order.", at.url.Host, len(items), game)
	s.out.note("%d connections. Without a rate each sends its next request when the answer is there; with one, a request's time begins when it was really sent, and what the instance cannot keep up with shows in requests/s.", s.opts.connections)
	s.out.note("An answer but 200, or none, is an error, unless it says that no market has the item any more. A stale answer has a quote older than the instance allows.")

	singles := singleRequests(items)
	paced := fmt.Sprintf(" at %d/s", s.opts.rate)
	var tasks []task
	for _, l := range []struct {
		subject                string
		requests               []request
		connections, perSecond int
	}{
		{"GET /v1/prices, 1 connection", singles, 1, 0},
		{"GET /v1/prices", singles, s.opts.connections, 0},
		{fmt.Sprintf("POST /v1/prices, %d names", min(batchSize, len(items))), many, s.opts.connections, 0},
		{"GET /v1/prices" + paced, singles, s.opts.connections, s.opts.rate},
	} {
		tasks = append(tasks, task{l.subject, func() error {
			return s.addTraffic(ctx, l.subject, newTraffic(at.url, at.token, l.requests, l.connections, l.perSecond))
		}})
	}
	return s.rounds(ctx, round{tasks: tasks})
}

// addTraffic measures one load.
func (s *session) addTraffic(ctx context.Context, subject string, t *traffic) error {
	loading, cancel := context.WithTimeout(ctx, s.opts.length)
	defer cancel()
	elapsed := t.run(loading)
	if err := ctx.Err(); err != nil {
		return err
	}
	sum := t.drain()
	if len(sum.took) == 0 {
		return fmt.Errorf("%s: nothing was answered: %w", subject, sum.err)
	}
	s.out.add(subject, "requests", "requests/s", float64(len(sum.took))/elapsed.Seconds())
	s.out.add(subject, "p50", "µs", micros(sum.late(0.5)))
	s.out.add(subject, "p99", "µs", micros(sum.late(0.99)))
	s.out.add(subject, "p99.9", "µs", micros(sum.late(0.999)))
	s.out.add(subject, "errors", "% of requests", sum.percent(sum.failed))
	s.out.add(subject, "sold out", "% of requests", sum.percent(sum.soldOut))
	s.out.add(subject, "stale answers", "% of requests", sum.percent(sum.stale))
	if sum.err != nil {
		s.out.note("%s: the first error of a round: %v.", subject, sum.err)
	}
	return nil
}

// readToken reads the token that the instance may want: READ_TOKEN, else
// API_TOKEN, each from the environment or the file that NAME_FILE names.
func readToken(lookup func(string) (string, bool)) (string, error) {
	var read, operator string
	set := settings.New("bench", "")
	set.Secret(&read, "READ_TOKEN", "A token that price endpoints accept.")
	set.Secret(&operator, "API_TOKEN", "The operator's token.")
	if err := set.Load(nil, onlyTokens(lookup), io.Discard); err != nil {
		return "", err
	}
	if read != "" {
		return read, nil
	}
	return operator, nil
}

// onlyTokens hides the settings file that the environment may name: it is for the
// programs, and has settings that a token's reader does not know.
func onlyTokens(lookup func(string) (string, bool)) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if name == "CONFIG" {
			return "", false
		}
		return lookup(name)
	}
}

// instance is an aggregator or a trader somewhere.
type instance struct {
	url   *url.URL
	token string
}

// items gives the names of the larger one of the instance's two catalogs, in its
// order.
func (at *instance) items(ctx context.Context) ([]pricing.Item, error) {
	ctx, cancel := context.WithTimeout(ctx, namesWithin)
	defer cancel()
	var known struct {
		Feeds []struct {
			Market pricing.Market `json:"market"`
			Game   pricing.Game   `json:"game"`
			Items  int            `json:"items"`
		} `json:"feeds"`
	}
	body, err := at.get(ctx, "/v1/feeds", nil)
	if err != nil {
		return nil, err
	}
	err = json.NewDecoder(io.LimitReader(body, maxLine)).Decode(&known)
	body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the feeds of %s: %w", at.url.Host, err)
	}
	var feed pricing.Feed
	most := 0
	for _, f := range known.Feeds {
		if f.Game == game && f.Items > most {
			most, feed = f.Items, pricing.Feed{Market: f.Market, Game: game}
		}
	}
	if most == 0 {
		return nil, fmt.Errorf("%s has no prices of %s yet", at.url.Host, game)
	}
	body, err = at.get(ctx, "/v1/catalog", url.Values{"game": {string(feed.Game)}, "market": {string(feed.Market)}})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	items, err := readItems(body)
	if err != nil {
		return nil, fmt.Errorf("read the catalog of %s at %s: %w", feed, at.url.Host, err)
	}
	return items, nil
}

// readItems reads the items of a catalog, one on a line, of which maxNames are
// enough.
func readItems(body io.Reader) (items []pricing.Item, err error) {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxLine)
	for len(items) < maxNames && lines.Scan() {
		var line struct {
			Item struct {
				Name  string `json:"name"`
				Phase string `json:"phase"`
			} `json:"item"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(items)+1, err)
		}
		if line.Item.Phase == string(pricing.UnknownPhase) {
			continue // no spelling of a name asks for it
		}
		it, err := pricing.ParseItem(game, line.Item.Name, line.Item.Phase)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(items)+1, err)
		}
		items = append(items, it)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, errors.New("it has no items")
	}
	return items, nil
}

// get asks an endpoint and gives the body of its answer if that is 200.
func (at *instance) get(ctx context.Context, path string, query url.Values) (io.ReadCloser, error) {
	u := *at.url
	u.Path, u.RawQuery = path, query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if at.token != "" {
		req.Header.Set("Authorization", "Bearer "+at.token)
	}
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return resp.Body, nil
	case http.StatusUnauthorized, http.StatusForbidden:
		err = fmt.Errorf("ask %s for %s: got %s: put a token that it knows into READ_TOKEN or API_TOKEN", at.url.Host, path, resp.Status)
	default:
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096)) // as much as helps
		err = fmt.Errorf("ask %s for %s: got %s: %s", at.url.Host, path, resp.Status, quoted(text, at.token))
	}
	resp.Body.Close()
	return nil, err
}
