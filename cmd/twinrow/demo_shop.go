package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// shop is the demo's endpoint: a payment webhook as many are written. It looks
// whether the payment has its ticket, makes one if not, and stores it. The
// fixed way stores first and lets the unique index decide.
type shop struct {
	store  *ticketStore
	fixed  atomic.Bool
	caught atomic.Int64
	lastID atomic.Int64
	server *http.Server
	url    string
}

// payment is what the webhook is told.
type payment struct {
	Intent string `json:"payment_intent_id"`
	Ticket int    `json:"ticket_number"`
	Name   string `json:"customer_name"`
	Email  string `json:"customer_email"`
}

// makingTicket is how long the shop takes to draw a ticket, between its look
// and its insert: what drawing a code and a picture takes.
const makingTicket = 25 * time.Millisecond

// firstNewTicket is the first id after those that the shop starts with.
const firstNewTicket = 1000

// openShop serves on a free loopback port until close.
func openShop(store *ticketStore) (*shop, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening the demo's endpoint: %w", err)
	}
	s := &shop{store: store, url: "http://" + listener.Addr().String() + "/webhooks/payment"}
	s.lastID.Store(firstNewTicket - 1)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhooks/payment", s.serve)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.server.Serve(listener) }() // it ends with ErrServerClosed
	return s, nil
}

func (s *shop) close() error { return s.server.Close() }

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	var paid payment
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&paid); err != nil {
		http.Error(w, "the body is not a payment", http.StatusBadRequest)
		return
	}
	deliver := s.checkThenInsert
	if s.fixed.Load() {
		deliver = s.insertThenLook
	}
	id, created, err := deliver(r.Context(), paid)
	if err != nil {
		http.Error(w, "the store failed", http.StatusInternalServerError)
		return
	}
	status, word := http.StatusOK, "existing"
	if created {
		status, word = http.StatusCreated, "created"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": word, "ticket": strconv.FormatInt(id, 10)})
}

// checkThenInsert is the wrong way: two deliveries at once both find nothing.
func (s *shop) checkThenInsert(ctx context.Context, paid payment) (id int64, created bool, err error) {
	if id, err := s.store.find(ctx, paid); err != nil || id != 0 {
		return id, false, err
	}
	time.Sleep(makingTicket)
	id = s.lastID.Add(1)
	return id, true, s.store.insert(ctx, id, paid)
}

// insertThenLook is the fix: whoever comes second is told by the index, and
// answers with the ticket that is there.
func (s *shop) insertThenLook(ctx context.Context, paid payment) (id int64, created bool, err error) {
	time.Sleep(makingTicket)
	id = s.lastID.Add(1)
	if err := s.store.insert(ctx, id, paid); !isTaken(err) {
		return id, true, err
	}
	s.caught.Add(1)
	id, err = s.store.find(ctx, paid)
	return id, false, err
}
