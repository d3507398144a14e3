package marketsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

func TestControl(t *testing.T) {
	r := start(t, Config{})
	call := func(method, path, body string, want int) string {
		t.Helper()
		resp, data, err := r.do(method, r.server.ControlURL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want {
			t.Errorf("%s %s %s: got %d %s, want %d", method, path, body, resp.StatusCode, data, want)
		}
		return string(data)
	}
	call("POST", "/price", `{"market":"sih","name":"`+redline+`","ask":7.255}`, 200)
	call("POST", "/price", `{"market":"skinsback","name":"`+redline+`","ask":"7.25"}`, 200)
	call("POST", "/stock", `{"market":"sih","name":"`+redline+`","count":2}`, 200)
	if _, got := r.order(redline, "7.255", "a", nil); got["success"] != true {
		t.Fatalf("order: got %v", got)
	}
	var purchases []map[string]any
	if err := json.Unmarshal([]byte(call("GET", "/purchases", "", 200)), &purchases); err != nil || len(purchases) != 1 || purchases[0]["price"] != 7.255 || purchases[0]["custom_id"] != "a" {
		t.Errorf("purchases: got %v, %v", purchases, err)
	}
	if got, want := call("GET", "/balances", "", 200), `{"sih":9992.745,"skinsback":10000}`; got != want {
		t.Errorf("balances: got %s, want %s", got, want)
	}
	if got, want := call("GET", "/requests", "", 200), `{"sih":{"methods":{"create-order":1},"max_per_minute":1},"skinsback":{"methods":null,"max_per_minute":0}}`; got != want {
		t.Errorf("requests: got %s, want %s", got, want)
	}
	if got := call("POST", "/faults", `{"market":"sih","method":"/project","kind":"error-code","delay":"1ms"}`, 200); got != `{"id":1}` {
		t.Errorf("fault: got %s", got)
	}
	if status, _ := r.get("/project"); status != http.StatusBadRequest {
		t.Errorf("with a fault: got %d", status)
	}
	if got, want := call("GET", "/faults", "", 200), `[{"id":1,"market":"sih","method":"project","kind":"error-code","times":0,"percent":0,"delay":"1ms","arg":"","hits":1}]`; got != want {
		t.Errorf("faults: got %s, want %s", got, want)
	}
	call("DELETE", "/faults", "", 200)
	if status, _ := r.get("/project"); status != http.StatusOK {
		t.Errorf("without faults: got %d", status)
	}
	for _, c := range [][2]string{
		{"/price", `{"market":"sih","name":"nothing","ask":1}`},
		{"/price", `{"market":"sih","name":"` + redline + `","ask":"free"}`},
		{"/stock", `{"market":"ebay","name":"` + redline + `","count":1}`},
		{"/stock", `{"counts":1}`},
		{"/faults", `{"kind":"typo"}`},
		{"/faults", `{"kind":"delay","delay":"soon"}`},
		{"/faults", `not JSON`},
	} {
		call("POST", c[0], c[1], 400)
	}
	call("PUT", "/price", "", 405)
}

func TestCloseTwice(t *testing.T) {
	w, err := New(Config{Catalog: smallCatalog})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Serve(w, "")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Serve(w, fmt.Sprint(s.http.Addr, s.ControlURL[len("http://"):len(s.ControlURL)-len("/sim")])); err == nil {
		again.Close()
		t.Error("two servers on one address")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
