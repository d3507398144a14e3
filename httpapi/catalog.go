package httpapi

import (
	"bufio"
	"fmt"
	"io"
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
	tag := catalogTag(catalog, now.Sub(catalog.ObservedAt) > s.cfg.MaxQuoteAge)
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	c.Set(fiber.HeaderCacheControl, "no-cache") // keep it, and ask whether it is still good
	if tagMatches(string(c.Request().Header.Peek(fiber.HeaderIfNoneMatch)), tag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	encoding := chooseEncoding(string(c.Request().Header.Peek(fiber.HeaderAcceptEncoding)))
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

// chooseEncoding gives the best encoding that an Accept-Encoding allows; empty
// for none.
func chooseEncoding(header string) string {
	allowed := map[string]bool{}
	for part := range strings.SplitSeq(header, ",") {
		name, parameter, _ := strings.Cut(part, ";")
		weight, given := strings.CutPrefix(strings.ReplaceAll(parameter, " ", ""), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		allowed[strings.ToLower(strings.TrimSpace(name))] = !given || err == nil && q > 0
	}
	for _, ours := range []string{"zstd", "gzip"} {
		if ok, named := allowed[ours]; ok || !named && allowed["*"] {
			return ours
		}
	}
	return ""
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
