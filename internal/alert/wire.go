package alert

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// letter is an alert on its way to one target.
type letter struct {
	Alert
	more   int       // of the same topic that this one stands for besides itself
	queued time.Time // when it was put into the queue
}

// The longest texts that the platforms take, in UTF-16 units: the larger of the
// ways in which they may count.
const (
	discordMost  = 2000
	telegramMost = 4096
	slackMost    = 4000 // what Slack recommends; it cuts at ten times that
)

// body gives what is posted to a target: l, and that so many alerts before it
// were lost. Text never becomes markup.
func (t Target) body(program string, l letter, lost int) ([]byte, error) {
	head := heading(program, l.Alert)
	switch t.kind {
	case discord: // https://discord.com/developers/docs/resources/webhook#execute-webhook
		return json.Marshal(discordBody{
			Content:         fit(head+l.Text, l.order()+l.note(lost), discordMost, discordEscape),
			AllowedMentions: discordMentions{Parse: []string{}},
			Flags:           suppressEmbeds,
		})
	case telegram: // https://core.telegram.org/bots/api#sendmessage
		return json.Marshal(telegramBody{
			ChatID: t.chat, Thread: t.thread,
			Text:    fit(head+l.Text, l.order()+l.note(lost), telegramMost, noEscape),
			Preview: telegramPreview{IsDisabled: true},
		})
	case slack: // https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
		return json.Marshal(slackBody{
			Text: fit(head+l.Text, l.order()+l.note(lost), slackMost, slackEscape),
		})
	}
	return json.Marshal(webhookBody{
		Kind: l.Kind, Market: l.Market, Order: l.Order, Text: l.Text + l.note(lost),
		At: l.At.UTC().Format(time.RFC3339), Program: program,
	})
}

type discordBody struct {
	Content         string          `json:"content"`
	AllowedMentions discordMentions `json:"allowed_mentions"`
	Flags           int             `json:"flags"`
}

// discordMentions with an empty list lets nobody be called by "@everyone".
type discordMentions struct {
	Parse []string `json:"parse"`
}

// suppressEmbeds keeps Discord from fetching what an address in a text leads to.
const suppressEmbeds = 1 << 2

type telegramBody struct {
	ChatID  any             `json:"chat_id"`
	Thread  int             `json:"message_thread_id,omitempty"`
	Text    string          `json:"text"`
	Preview telegramPreview `json:"link_preview_options"`
}

type telegramPreview struct {
	IsDisabled bool `json:"is_disabled"`
}

type slackBody struct {
	Text   string `json:"text"`
	Mrkdwn bool   `json:"mrkdwn"` // always false
	Unfurl bool   `json:"unfurl_links"`
}

type webhookBody struct {
	Kind    string `json:"kind"`
	Market  string `json:"market"`
	Order   string `json:"order"`
	Text    string `json:"text"`
	At      string `json:"at"`
	Program string `json:"program"`
}

// heading gives "skinarb · 03:14 UTC · in doubt · sih: ".
func heading(program string, a Alert) string {
	parts := []string{program, a.At.UTC().Format("15:04 UTC"), strings.ReplaceAll(a.Kind, "_", " ")}
	if a.Market != "" {
		parts = append(parts, a.Market)
	}
	return strings.Join(parts, " · ") + ": "
}

// order names the order, unless the text does.
func (a Alert) order() string {
	if a.Order == "" || strings.Contains(a.Text, a.Order) {
		return ""
	}
	return " (order " + a.Order + ")"
}

// note tells of the alerts that do not get a message of their own.
func (l letter) note(lost int) string {
	var notes []string
	if l.more > 0 {
		notes = append(notes, fmt.Sprintf("and %d more", l.more))
	}
	if lost > 0 {
		notes = append(notes, fmt.Sprintf("alerts lost before this one: %d", lost))
	}
	if len(notes) == 0 {
		return ""
	}
	return "\n(" + strings.Join(notes, "; ") + ")"
}

// The escapes turn each character that could be markup into itself.
var (
	noEscape      = strings.NewReplacer().Replace
	slackEscape   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	discordEscape = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`,
		"[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "#", `\#`).Replace
)

// fit gives text and tail, escaped, of which text is cut where they would take
// more than most UTF-16 units. An escaped character is never cut in two.
func fit(text, tail string, most int, escape func(string) string) string {
	tail = escape(tail)
	room := most - units(tail)
	if whole := escape(text); units(whole) <= room {
		return whole + tail
	}
	var b strings.Builder
	room-- // for the ellipsis
	for _, r := range text {
		e := escape(string(r))
		if room -= units(e); room < 0 {
			break
		}
		b.WriteString(e)
	}
	return b.String() + "…" + tail
}

func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
