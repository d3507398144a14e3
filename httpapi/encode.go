package httpapi

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"skinarb/pricing"
)

// layout is RFC 3339 with milliseconds, for times in UTC.
const layout = "2006-01-02T15:04:05.000Z"

// appendString appends s as JSON, byte for byte as encoding/json without HTML
// escapes would.
func appendString[T string | []byte](b []byte, s T) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\b':
				b = append(b, '\\', 'b')
			case '\f':
				b = append(b, '\\', 'f')
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029': // line ends in JavaScript, not in JSON
			b = append(b, s[start:i]...)
			b = append(b, `\u202`...)
			b = append(b, hex[r&0xf])
			start = i + size
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// appendMoney appends an amount as a JSON string.
func appendMoney(b []byte, m pricing.Money) []byte {
	b = append(b, '"')
	b = m.Append(b)
	return append(b, '"')
}

// appendTime appends a time as a JSON string.
func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, layout)
	return append(b, '"')
}

// appendCount appends a number of units; null when the market did not say.
func appendCount(b []byte, count int) []byte {
	if count == pricing.CountUnknown {
		return append(b, `null`...)
	}
	return strconv.AppendInt(b, int64(count), 10)
}

// appendHints appends the members of a quote that not every market tells.
func appendHints(b []byte, l *pricing.Listing) []byte {
	if l.Steam > 0 {
		b = append(b, `,"steam_reference":`...)
		b = appendMoney(b, l.Steam)
	}
	if l.Source != "" {
		b = append(b, `,"source_market":`...)
		b = appendString(b, l.Source)
	}
	if l.SellHint > 0 {
		b = append(b, `,"sell_hint":`...)
		b = appendMoney(b, l.SellHint)
	}
	if l.Lot != "" {
		b = append(b, `,"listing_id":`...)
		b = appendString(b, l.Lot)
	}
	return b
}

// What is appended to an answer goes straight into the buffer that fasthttp keeps
// for the bodies of a connection. takeBody takes it out of resp, empty;
// putBody puts it back as the body.
func takeBody(resp *fasthttp.Response) []byte { return resp.SwapBody(nil)[:0] }

func putBody(resp *fasthttp.Response, b []byte) { resp.SwapBody(b) }

// writeJSON answers with a copy of b.
func writeJSON(c *fiber.Ctx, b []byte) {
	c.Response().Header.SetContentType(fiber.MIMEApplicationJSON)
	c.Response().SetBody(b)
}

// writeValue answers with v as encoding/json writes it. It is for answers that
// are not asked for thousands of times a second.
func writeValue(c *fiber.Ctx, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	writeJSON(c, bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
	return nil
}

// instant gives a time as our answers write it; null when there is none.
func instant(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(layout)
	return &s
}

// amount gives money as our answers write it; null for an amount of zero, which
// stands for one that is not known or not set.
func amount(m pricing.Money) *string {
	if m == 0 {
		return nil
	}
	s := m.String()
	return &s
}

// text gives a string; null when it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// itemJSON is an item in an answer.
type itemJSON struct {
	Game  pricing.Game  `json:"game"`
	Name  string        `json:"name"`
	Phase pricing.Phase `json:"phase"`
}

func toItem(it pricing.Item) itemJSON { return itemJSON{it.Game, it.Name, it.Phase} }
