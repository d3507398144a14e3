package httpapi

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skinarb/pricing"
)

// catalogChunk is about how much of a catalog is handed on at a time, in bytes.
const catalogChunk = 32 << 10

// getCatalog answers GET /v1/catalog: one quote with its item on each line, all
// from the one book in force now. Plain lines are put together while they are
// sent. Compressed ones are made once for all who ask: see packer.
func (s *Server) getCatalog(c *fiber.Ctx, q params) error {
	g, err := q.game()
	if err != nil {
		return err
	}
	if q.get("market") == "" {
		return problem(codeMissingParameter, "market is missing: it is one of skinsback, sih")
	}
	m, err := pricing.ParseMarket(q.get("market"))
	if err != nil {
		return problem(codeInvalidParameter, "unknown market %s: it is one of skinsback, sih", quoted(q.get("market")))
	}
	feed := pricing.Feed{Market: m, Game: g}
	e := s.edition(g)
	catalog, ok := e.book.Catalog(feed)
	if !ok {
		return problem(codeFeedNotFound, "no catalog of %s is in force", feed)
	}

	now := s.now()
	tag := catalogTag(catalog, now.Sub(catalog.ObservedAt).Abs() > s.cfg.MaxQuoteAge)
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	c.Set(fiber.HeaderCacheControl, "no-cache") // keep it, and ask whether it is still good
	if tagMatches(string(c.Request().Header.Peek(fiber.HeaderIfNoneMatch)), tag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	encoding := chooseEncoding(string(bytes.Join(c.Request().Header.PeekAll(fiber.HeaderAcceptEncoding), []byte(","))))
	if encoding != "" {
		c.Set(fiber.HeaderContentEncoding, encoding)
	}
	c.Set(fiber.HeaderContentType, "application/x-ndjson")
	if c.Method() == fiber.MethodHead {
		return nil
	}
	lines := catalogLines{e, slices.Index(pricing.Markets, m), now, s.cfg.MaxQuoteAge}
	if encoding == "" {
		s.stream(c, func(w *bufio.Writer, renew func()) error { return lines.write(w, renew) })
		return nil
	}
	body, err := s.packers[feed].of(tag, encoding, lines)
	if err != nil {
		return fmt.Errorf("compress the catalog of %s: %w", feed, err)
	}
	c.Response().SetBodyRaw(body) // which nobody changes
	return nil
}

// catalogTag names a catalog as it is served. It is weak, because ages differ
// from answer to answer and encodings share it; that a catalog became stale
// makes it another one.
func catalogTag(c pricing.Catalog, stale bool) string {
	state := "fresh"
	if stale {
		state = "stale"
	}
	return fmt.Sprintf(`W/"%s-%s-%d-%d-%s"`, c.Feed.Market, c.Feed.Game, c.Version, c.ObservedAt.UnixMilli(), state)
}

// tagMatches tells whether an If-None-Match names the tag.
func tagMatches(header, tag string) bool {
	for t := range strings.SplitSeq(header, ",") {
		t = strings.TrimSpace(t)
		if t == "*" || t != "" && strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// chooseEncoding gives the encoding that an Accept-Encoding likes best, and of
// equals the one that we do; empty for none. A weight that is none counts as a
// refusal. Plain lines are sent also to whoever refuses them but takes nothing
// else that we have: they are of more use than an error.
//
// https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
func chooseEncoding(header string) string {
	weights := map[string]float64{}
	for part := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(part, ";")
		weights[strings.ToLower(strings.TrimSpace(name))] = weight(parameters)
	}
	best, most := "", 0.0
	for _, ours := range []string{"zstd", "gzip", "identity"} {
		w, named := weights[ours]
		if !named && ours != "identity" { // which nobody means by a star
			w = weights["*"]
		}
		if w > most {
			best, most = ours, w
		}
	}
	if best == "identity" {
		return ""
	}
	return best
}

// qvalue is a weight as HTTP has it.
var qvalue = regexp.MustCompile(`^(0(\.[0-9]{0,3})?|1(\.0{0,3})?)$`)

// weight gives the weight among the parameters of an encoding: 1 without one.
func weight(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		value = strings.TrimSpace(value)
		if !qvalue.MatchString(value) {
			return 0
		}
		q, _ := strconv.ParseFloat(value, 64) // which reads all of those
		return q
	}
	return 1
}

// catalogLines is a catalog to be written, with ages as of a time.
type catalogLines struct {
	edition *edition
	market  int // of pricing.Markets
	now     time.Time
	maxAge  time.Duration
}

// write writes the lines. renew is called before each write.
func (l catalogLines) write(w io.Writer, renew func()) error {
	var t ages
	l.edition.tell(&t, l.now, l.maxAge)
	b := make([]byte, 0, catalogChunk+4096)
	for pos := range l.edition.columns[l.market].listings {
		if b = l.edition.appendLine(b, pos, l.market, &t); len(b) < catalogChunk {
			continue
		}
		renew()
		if _, err := w.Write(b); err != nil {
			return err
		}
		b = b[:0]
	}
	renew()
	_, err := w.Write(b)
	return err
}
