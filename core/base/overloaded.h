#pragma once

namespace copal {

/// One handler for each kind in a variant: std::visit(Overloaded{[](const A&) …, …}, variant) does
/// not compile when a kind is left out.
template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace copal
