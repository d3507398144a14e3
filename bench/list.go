package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

	"github.com/klauspost/compress/gzip"

	"skinarb/markets/skinsback"
)

// listServer is a server with one answer, a list of SkinsBack's form that is ready
// and compressed, and clients of it.
type listServer struct {
	rows   int
	body   []byte // gzip
	url    string
	client *skinsback.Client
	plain  *http.Client // that does not inflate
	server *http.Server
}

// serveList serves a list of rows, each an object in JSON.
func serveList(rows iter.Seq[[]byte]) (*listServer, error) {
	l := &listServer{plain: &http.Client{Transport: &http.Transport{DisableCompression: true}}}
	if err := l.write(rows); err != nil {
		return nil, err
	}
	l.server = zippedServer(l.body)
	address, err := listen(l.server.Serve)
	if err != nil {
		return nil, err
	}
	l.url = "http://" + address
	l.client, err = skinsback.New(skinsback.Config{URL: l.url, ClientID: "bench", ClientSecret: "bench", MaxListBody: 1 << 30})
	if err != nil {
		l.server.Close()
		return nil, fmt.Errorf("make a client of a list of %d rows: %w", l.rows, err)
	}
	return l, nil
}

// write makes the body.
func (l *listServer) write(rows iter.Seq[[]byte]) error {
	var body bytes.Buffer
	zip := gzip.NewWriter(&body)
	before := []byte(`{"status":"success","last_update":"1760000000","items":[`)
	for row := range rows {
		l.rows++
		_, err := zip.Write(before)
		if err == nil {
			_, err = zip.Write(row)
		}
		if err != nil {
			return err
		}
		before = []byte(",")
	}
	if l.rows == 0 {
		return errors.New("a list has no rows")
	}
	_, err := zip.Write([]byte(`]}`))
	err = errors.Join(err, zip.Close())
	l.body = bytes.Clone(body.Bytes()) // the buffer may be twice as long
	return err
}

func (l *listServer) close() {
	l.client.Close()
	l.plain.CloseIdleConnections()
	_ = l.server.Close() // nobody needs it any more
}

// inflate gets the list and inflates it.
func (l *listServer) inflate(ctx context.Context) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := l.plain.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return inflate(resp.Body)
}

// inflate inflates a body to its end.
func inflate(body io.Reader) (int64, error) {
	r, err := gzip.NewReader(body)
	if err != nil {
		return 0, err
	}
	return io.Copy(io.Discard, r)
}
