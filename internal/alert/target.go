package alert

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Target is where alerts go; Parse makes it. Printed it shows no more than its
// kind and host.
type Target struct {
	kind   kind
	url    *url.URL
	chat   any // of Telegram: a number, or "@name"
	thread int // of Telegram: a topic of a forum, or 0
}

// kind is what a target speaks: the label of its metrics.
type kind string

const (
	discord  kind = "discord"
	telegram kind = "telegram"
	slack    kind = "slack"
	webhook  kind = "webhook"
)

// String gives "slack at hooks.slack.com".
func (t Target) String() string { return string(t.kind) + " at " + t.url.Host }

// Parse reads the addresses that alerts go to:
//
//	https://discord.com/api/webhooks/ID/TOKEN
//	https://api.telegram.org/botTOKEN/sendMessage?chat_id=ID
//	https://hooks.slack.com/services/...
//
// and any other https address, or http on this machine, as a webhook that takes
// JSON. The error joins every mistake and shows of an address at most its scheme
// and host.
func Parse(urls []string) ([]Target, error) {
	var targets []Target
	var mistakes []error
	for i, s := range urls {
		t, err := parse(s)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("alert address %d: %w", i+1, err))
			continue
		}
		targets = append(targets, t)
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return targets, nil
}

func parse(s string) (Target, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return Target{}, errors.New("not a URL such as https://host/path") // err quotes the URL
	}
	u.Fragment, u.RawFragment = "", ""
	switch {
	case u.Scheme == "https":
	case u.Scheme != "http":
		return Target{}, errors.New("it must begin with https://")
	case !loopback(u.Hostname()):
		return Target{}, fmt.Errorf("http://%s: it must begin with https://, except on this machine", u.Host)
	}
	t := Target{kind: webhook, url: u}
	switch strings.ToLower(u.Hostname()) {
	case "discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com":
		err = t.discord()
	case "api.telegram.org":
		err = t.telegram()
	case "hooks.slack.com", "hooks.slack-gov.com":
		err = t.slack()
	}
	if err != nil {
		return Target{}, fmt.Errorf("%s://%s: %w", u.Scheme, u.Host, err)
	}
	return t, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

var (
	discordPath  = regexp.MustCompile(`^/api(/v\d+)?/webhooks/\d+/[^/]+$`)
	telegramPath = regexp.MustCompile(`^/bot[^/]+/sendMessage$`)
	slackPath    = regexp.MustCompile(`^/services/.+$`)
	chatName     = regexp.MustCompile(`^@\w+$`)
)

func (t *Target) discord() error {
	t.kind = discord
	if !discordPath.MatchString(t.url.Path) {
		return errors.New("a Discord webhook is https://discord.com/api/webhooks/ID/TOKEN")
	}
	// Without wait Discord answers before it knows whether the message is kept.
	q := t.url.Query()
	q.Set("wait", "true")
	t.url.RawQuery = q.Encode()
	return nil
}

func (t *Target) telegram() error {
	t.kind = telegram
	const form = "a Telegram address is https://api.telegram.org/botTOKEN/sendMessage?chat_id=ID"
	if !telegramPath.MatchString(t.url.Path) {
		return errors.New(form)
	}
	q, err := url.ParseQuery(t.url.RawQuery)
	if err != nil {
		return errors.New(form) // err quotes the query
	}
	for name, values := range q {
		if name != "chat_id" && name != "message_thread_id" || len(values) != 1 {
			return errors.New(form + ", once, and perhaps message_thread_id; it takes no other parameter")
		}
	}
	chat := q.Get("chat_id")
	if id, err := strconv.ParseInt(chat, 10, 64); err == nil {
		t.chat = id
	} else if chatName.MatchString(chat) {
		t.chat = chat
	} else {
		return errors.New("chat_id is a number or @name")
	}
	if thread := q.Get("message_thread_id"); thread != "" {
		if t.thread, err = strconv.Atoi(thread); err != nil || t.thread <= 0 {
			return errors.New("message_thread_id is a positive number")
		}
	}
	t.url.RawQuery = ""
	return nil
}

func (t *Target) slack() error {
	t.kind = slack
	if !slackPath.MatchString(t.url.Path) {
		return errors.New("a Slack webhook is https://hooks.slack.com/services/...")
	}
	return nil
}

// secrets are the parts of the address that let somebody write there.
func (t Target) secrets() []string {
	s := []string{t.url.String(), t.url.RequestURI(), t.url.Path, t.url.RawQuery}
	if password, ok := t.url.User.Password(); ok {
		s = append(s, password)
	}
	// A bare word of the path is a secret only if it is long enough to be one.
	for part := range strings.SplitSeq(t.url.Path, "/") {
		s = append(s, part, strings.TrimPrefix(part, "bot"))
	}
	kept := s[:0]
	for _, part := range s {
		if len(part) >= 16 {
			kept = append(kept, part)
		}
	}
	return kept
}
