// A server of net/http on the socket that it was started with.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

func main() {
	number, err := strconv.Atoi(os.Getenv("PORTCREW_FD_0"))
	if err != nil {
		log.Fatal("started without a socket: ", err)
	}
	listener, err := net.FileListener(os.NewFile(uintptr(number), "listener"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(answer, "worker %d\n", os.Getpid())
	})}
	told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	left := make(chan error)
	go func() {
		<-told.Done()
		left <- server.Shutdown(context.Background())
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	// Serve returns at once; what was taken is answered before Shutdown does.
	if err := <-left; err != nil {
		log.Fatal(err)
	}
}
