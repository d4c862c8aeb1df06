#include "vipd/node/advert_port.hpp"

#include <array>
#include <utility>

#include "vipd/os/log.hpp"
#include "vipd/vrrp/virtual_mac.hpp"

namespace vipd {

AdvertPort::AdvertPort(Wire& wire, RouterCounters& counters, SharedInstance config) : wire_(wire), counters_(counters) {
  reconfigure(std::move(config));
}

void AdvertPort::reconfigure(SharedInstance config) {
  config_ = std::move(config);
  if (config_->ipv4_checksum != ChecksumPolicy::automatic)
    checksum_form_ =
        config_->ipv4_checksum == ChecksumPolicy::rfc9568 ? ChecksumForm::message_only : ChecksumForm::pseudo_header;
  password_.reset();
  if (!config_->auth_legacy.empty()) password_ = simple_password(config_->auth_legacy);
  addresses_.clear();
  for (const auto& address : config_->addresses) {
    const auto octets = address.prefix.address.octets();
    if (address.advertised) addresses_.insert(addresses_.end(), octets.begin(), octets.end());
  }
}

void AdvertPort::send(std::uint8_t priority, const AdvertSource& from, TimePoint now) {
  const Advert advert{.version = config_->version,
                      .vrid = config_->vrid,
                      .priority = priority,
                      .interval = std::chrono::duration_cast<Centiseconds>(config_->advert_interval),
                      .addresses = addresses(),
                      .checksum_form = checksum_form_,
                      .password = password_};
  last_has_left_ = false;
  if (config_->peers.empty()) send_to(vrrp_group(config_->family()), advert, from, now);
  for (const auto& peer : config_->peers) send_to(peer.address, advert, from, now);
}

void AdvertPort::send_to(const IpAddress& destination, const Advert& advert, const AdvertSource& from, TimePoint now) {
  static std::array<std::uint8_t, kMaxAdvertSize> buffer;
  const std::size_t size = encode(advert, from.address, destination, buffer);
  const auto message = std::span(buffer).first(size);
  const bool by_frame = config_->virtual_mac && config_->peers.empty();  // RFC 9568 7.2: multicast has the virtual MAC
  if (by_frame)
    note(wire_.announce(from.ifindex,
                        advert_frame(virtual_mac(config_->family(), config_->vrid), from.address, message)),
         now);
  else
    wire_.send(from.ifindex, from.address, destination, message,
               [this, now](const Result<void>& sent) { note(sent, now); });
}

void AdvertPort::note(const Result<void>& sent, TimePoint now) {
  if (!sent) {
    ++counters_.send_errors;
    if (send_log_.passes(now)) log_warning("{}: {}", config_->name, sent.error().message);
    return;
  }
  if (!std::exchange(last_has_left_, true)) ++counters_.adverts_sent;
  ++departures_;
  heard_until_ = now + 3 * config_->advert_interval;
}

std::optional<std::string> AdvertPort::follow_checksum(const Advert& advert, const IpAddress& source, TimePoint now) {
  if (config_->family() != Family::ipv4 || config_->ipv4_checksum != ChecksumPolicy::automatic) return std::nullopt;
  if (advert.checksum_form == checksum_form_) return std::nullopt;
  checksum_form_ = advert.checksum_form;
  if (!checksum_log_.passes(now)) return std::nullopt;
  const char* form =
      checksum_form_ == ChecksumForm::message_only ? "over the message alone (RFC 9568)" : "with the pseudo-header";
  return source.to_string() + " forms its checksum " + form + "; so do we from now on";
}

ReceiveRules AdvertPort::rules(const std::optional<IpAddress>& local, std::span<const IpAddress> own_sources) const {
  return {.family = config_->family(),
          .vrid = config_->vrid,
          .version = config_->version,
          .checksum = config_->ipv4_checksum,
          .interval = std::chrono::duration_cast<Centiseconds>(config_->advert_interval),
          .password = password_,
          .peers = config_->peers,
          .local = local.value_or(IpAddress()),
          .own_sources = own_sources};
}

}  // namespace vipd
