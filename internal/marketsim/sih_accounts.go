package marketsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Limits of a page of accounts, by whether each is checked with Steam.
const (
	maxChecked   = 100
	maxUnchecked = 1000
)

// maxTradeToken is the longest trade token that is taken for one.
const maxTradeToken = 16

// sihPattern gives a path with the names of its variables in place of their
// values, and the values.
func sihPattern(path string) (pattern string, values []string) {
	parts := strings.Split(path, "/")
	switch {
	case len(parts) == 3 && strings.HasPrefix(path, "project/user/"):
		return "project/user/{steamId}", parts[2:]
	case len(parts) == 5 && strings.HasPrefix(path, "project/user/") && parts[3] == "online":
		return "project/user/{steamId}/online/{online}", []string{parts[2], parts[4]}
	case len(parts) == 4 && strings.HasPrefix(path, "project/users/online/"):
		return "project/users/online/{online}", parts[3:]
	}
	return path, nil
}

// BanAccount makes Steam and SIH refuse an account's trades with a text such as
// "steam trade ban"; "" ends that.
func (w *World) BanAccount(steamID, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seller.bans == nil {
		w.seller.bans = map[string]string{}
	}
	w.seller.bans[steamID] = text
}

// sihAccount is an account with what it may do.
type sihAccount struct {
	SteamID  string  `json:"steamId"`
	CanTrade sihMays `json:"canTrade"`
	CanP2P   sihMays `json:"canP2P"`
}

type sihMays struct {
	Success bool   `json:"success"`
	Error   string `json:"error"`
}

func mays(problem string) sihMays { return sihMays{problem == "", problem} }

func (w *World) checkAccount(steamID string) sihAccount {
	problem, p2p := w.seller.bans[steamID], ""
	switch a := w.seller.account(steamID); {
	case a == nil:
		problem, p2p = "user not found", "user not found"
	case !a.online:
		p2p = "user offline"
	}
	return sihAccount{steamID, mays(problem), mays(p2p)}
}

// problem is what keeps an account from selling, or nothing.
func (a sihAccount) problem() string {
	if !a.CanTrade.Success {
		return a.CanTrade.Error
	}
	return a.CanP2P.Error
}

// sihAddUser attaches an account, which is then online. One that cannot trade is
// refused in the documented way: status 400, and success is true.
func (w *World) sihAddUser(r sihRequest) reply {
	var in struct {
		SteamID    loose `json:"steamId"`
		TradeToken loose `json:"tradeToken"`
	}
	if json.Unmarshal(r.body, &in) != nil {
		return sihUnknown
	}
	steamID := string(in.SteamID)
	status, found := http.StatusOK, sihAccount{SteamID: steamID}
	switch token := string(in.TradeToken); {
	case number64(steamID) <= 76561197960265728 || token == "" || len(token) > maxTradeToken:
		status, found.CanTrade, found.CanP2P = http.StatusBadRequest, mays("invalid tradelink"), mays("user not found")
	case w.seller.bans[steamID] != "":
		status, found.CanTrade, found.CanP2P = http.StatusBadRequest, mays(w.seller.bans[steamID]), mays("user not found")
	default:
		a := w.seller.account(steamID)
		if a == nil {
			a = &account{steamID: steamID}
			w.seller.accounts = append(w.seller.accounts, a)
		}
		a.token = token
		w.setOnline(a, true)
		found = w.checkAccount(steamID)
	}
	return reply{status: status, body: encode(struct {
		Success bool       `json:"success"`
		Data    sihAccount `json:"data"`
	}{true, found})}
}

func (w *World) sihUser(r sihRequest) reply {
	if w.seller.account(r.path[0]) == nil {
		return sihError(http.StatusBadRequest, "user not found")
	}
	return sihOK(struct {
		Success bool       `json:"success"`
		Data    sihAccount `json:"data"`
	}{true, w.checkAccount(r.path[0])})
}

func (w *World) sihUsers(r sihRequest) reply {
	check := r.query.Get("check") != "false"
	most := maxUnchecked
	if check {
		most = maxChecked
	}
	limit, offset := most, 0
	for name, n := range map[string]*int{"limit": &limit, "offset": &offset} {
		if text := r.query.Get(name); text != "" {
			*n = int(number64(text))
		}
	}
	switch {
	case limit > most:
		return sihError(http.StatusBadRequest, fmt.Sprintf("limit %d exceeds the cap of %d for check=%t. Use check=false for larger pages (cap %d).", limit, most, check, maxUnchecked))
	case limit < 1:
		return sihError(http.StatusBadRequest, "invalid limit")
	case offset < 0:
		return sihError(http.StatusBadRequest, "invalid offset")
	}
	type unchecked struct {
		SteamID string `json:"steamId"`
		Online  bool   `json:"online"`
	}
	rows := []any{}
	total := len(w.seller.accounts)
	for _, a := range w.seller.accounts[min(offset, total):min(offset+limit, total)] {
		if check {
			rows = append(rows, w.checkAccount(a.steamID))
		} else {
			rows = append(rows, unchecked{a.steamID, a.online})
		}
	}
	type pagination struct {
		Limit   int  `json:"limit"`
		Offset  int  `json:"offset"`
		Total   int  `json:"total"`
		HasMore bool `json:"hasMore"`
	}
	return sihOK(struct {
		Success    bool       `json:"success"`
		Data       []any      `json:"data"`
		Pagination pagination `json:"pagination"`
	}{true, rows, pagination{limit, offset, total, offset+len(rows) < total}})
}

func (w *World) sihUserOnline(r sihRequest) reply {
	return w.switchAccounts([]string{r.path[0]}, r.path[1])
}

func (w *World) sihUsersOnline(r sihRequest) reply {
	var in struct {
		SteamIDs []string `json:"steamIds"`
	}
	if json.Unmarshal(r.body, &in) != nil || len(in.SteamIDs) == 0 {
		return sihUnknown
	}
	return w.switchAccounts(in.SteamIDs, r.path[0])
}

// switchAccounts switches all of the accounts or none.
func (w *World) switchAccounts(steamIDs []string, to string) reply {
	online, err := strconv.ParseBool(to)
	if err != nil {
		return sihUnknown
	}
	var accounts []*account
	for _, id := range steamIDs {
		a := w.seller.account(id)
		if a == nil {
			return sihError(http.StatusBadRequest, "user not found")
		}
		accounts = append(accounts, a)
	}
	for _, a := range accounts {
		w.setOnline(a, online)
	}
	type state struct {
		Online bool `json:"online"`
	}
	return sihOK(struct {
		Success bool  `json:"success"`
		Data    state `json:"data"`
	}{true, state{online}})
}

// setOnline switches an account, and what it has on sale with it.
func (w *World) setOnline(a *account, online bool) {
	a.online = online
	for _, d := range w.seller.open {
		if d.steamID == a.steamID {
			w.restock(d.listing)
		}
	}
}
