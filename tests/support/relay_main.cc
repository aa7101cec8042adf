// ampari-test-relay: a Relay that obeys lines on stdin:
//   cut | hold | release | drop-acks | pass-acks | refuse | accept | streams | quit
// Prints "listening HOST:PORT" at the start and "ok [number]" after each line. Ends with its input.
#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "tests/support/relay.h"

int main(int argc, char** argv) {
  ampari::RelayOptions options;
  CLI::App app("A recording relay between forwarders and a gateway");
  app.add_option("--listen", options.listen_address, "host:port; port 0 takes a free one");
  app.add_option("--gateway", options.gateway_address, "host:port of the gateway")->required();
  app.add_option("--record", options.record_file, "file of JSON lines that are appended");
  CLI11_PARSE(app, argc, argv);

  auto relay = ampari::Relay::Start(options);
  if (!relay.ok()) {
    std::cerr << relay.status() << "\n";
    return 1;
  }
  ampari::Relay& r = **relay;
  std::cout << "listening " << r.address() << std::endl;
  const std::map<std::string, std::function<void()>> commands = {
      {"cut", [&r] { r.Cut(); }},
      {"hold", [&r] { r.Hold(true); }},
      {"release", [&r] { r.Hold(false); }},
      {"drop-acks", [&r] { r.DropAcks(true); }},
      {"pass-acks", [&r] { r.DropAcks(false); }},
      {"refuse", [&r] { r.Refuse(true); }},
      {"accept", [&r] { r.Refuse(false); }},
  };
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    const auto command = commands.find(line);
    if (command != commands.end()) {
      command->second();
      std::cout << "ok" << std::endl;
    } else if (line == "streams") {
      std::cout << "ok " << r.open_streams() << std::endl;
    } else {
      std::cout << "unknown command" << std::endl;
    }
  }
  return 0;
}
