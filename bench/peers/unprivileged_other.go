//go:build !unix

package main

import "syscall"

// unprivileged has nothing to say: there is no root here.
func unprivileged(string) (*syscall.SysProcAttr, error) { return nil, nil }
