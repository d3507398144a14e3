package httpapi

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"skinarb/pricing"
)

// catalogChunk is about how much of a catalog is handed on at a time, in bytes.
const catalogChunk = 32 << 10

// getCatalog answers GET /v1/catalog: one quote with its item on each line. The
// lines are made while they are sent, all from the one book in force now.
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
	book := s.cfg.Prices.Book()
	catalog, ok := book.Catalog(feed)
	if !ok {
		return problem(codeFeedNotFound, "no catalog of %s is in force", feed)
	}

	tag := s.catalogTag(catalog)
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
	s.stream(c, func(w *bufio.Writer, renew func()) error {
		return s.writeCatalog(w, renew, encoding, book, feed)
	})
	return nil
}

// catalogTag names a catalog as it is served. It is weak, because ages differ
// from answer to answer and encodings share it; that a catalog became stale
// makes it another one.
func (s *Server) catalogTag(c pricing.Catalog) string {
	state := "fresh"
	if s.now().Sub(c.ObservedAt) > s.cfg.MaxQuoteAge {
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

// writeCatalog writes the lines of a feed, compressed.
func (s *Server) writeCatalog(w *bufio.Writer, renew func(), encoding string, book *pricing.Book, feed pricing.Feed) error {
	out, err := compressor(w, encoding)
	if err != nil {
		return err
	}
	catalog, _ := book.Catalog(feed)
	now := s.now()
	b := make([]byte, 0, catalogChunk+4096)
	for pos := range book.Len() {
		l := book.At(feed, pos)
		if l == nil {
			continue
		}
		b = append(b, `{"item":`...)
		b = appendItem(b, l.Item)
		b = append(b, ',')
		b = appendQuoteMembers(b, pricing.Quote{Market: feed.Market, ObservedAt: catalog.ObservedAt, Listing: *l}, now, s.cfg.MaxQuoteAge)
		b = append(b, '}', '\n')
		if len(b) >= catalogChunk {
			renew()
			if _, err := out.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	renew()
	if _, err := out.Write(b); err != nil {
		return err
	}
	return out.Close()
}

// compressor wraps w. Closing what it gives ends the encoding, not w.
func compressor(w io.Writer, encoding string) (io.WriteCloser, error) {
	switch encoding {
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	case "gzip":
		return gzip.NewWriter(w), nil
	}
	return plain{w}, nil
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }
