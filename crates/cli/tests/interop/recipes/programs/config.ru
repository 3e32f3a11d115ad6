# What puma serves.
run lambda { |_| [200, { "content-type" => "text/plain" }, ["worker #{Process.pid}\n"]] }
