#pragma once

#include <string>

namespace pareto::test {

/// A shell script to be called in place of ssh (PARETO_SSH): adds its words to the file `log`, runs `before` with the host's name
/// in $host, then the command here.
inline std::string standInForSsh(const std::string& log, const std::string& before = "") {
    return "#!/bin/sh\necho \"$*\" >> " + log + "\nwhile :; do case \"$1\" in -T) shift ;; -o) shift 2 ;; *) break ;; esac; done\n"
           "host=$1\nshift\n" + before + "\nexec sh -c \"$*\"\n";
}

}  // namespace pareto::test
