#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace copal::sim {

/// Where the bytes of a file come from, unpacked.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// Reads at most `size_bytes` into `bytes`. Returns how many; 0 at the end or after a failure.
  virtual std::size_t read(char* bytes, std::size_t size_bytes) = 0;

  /// Why nothing more could be read; empty if the file simply is over.
  virtual const std::string& failure() const = 0;
};

/// Opens a file. Whether it is plain, gzip (also several members in a row, as log rotation makes
/// them) or xz is told by its first bytes, never by its name. What can't be opened says so by
/// failure().
std::unique_ptr<ByteSource> open_bytes(const std::string& path);

/// Reads a text file line by line, plain or packed (see open_bytes()). A file that ends in the
/// middle of a packed stream, or whose check sum is wrong, is a failure: half a log would pass for
/// a quiet site.
class LineReader {
 public:
  /// Longer lines are broken lines. Web servers cut request lines far below this.
  static constexpr std::size_t kLineBytesMax = 65'536;

  /// path  as the program opens it; named in failures. Opens the file; failure() says if it can't.
  explicit LineReader(std::string path);

  /// Moves to the next line. Returns false at the end, or when the file can't be read any further:
  /// then failure() says why.
  bool next();

  /// The line without its end ("\n" or "\r\n") and without a byte order mark; of one that is too
  /// long, the beginning. Valid until next().
  std::string_view line() const { return line_; }
  /// Whether the line is longer than kLineBytesMax.
  bool too_long() const { return too_long_; }
  /// From 1.
  std::uint64_t line_number() const { return line_number_; }
  /// "<path>: <reason>", for people; nothing if all is well.
  const std::optional<std::string>& failure() const { return failure_; }

 private:
  bool fill();
  void finish_line();

  std::string path_;
  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<char[]> buffer_;
  std::string_view rest_;  // of the buffer
  std::string held_;       // the part of a line that stood at the end of the last buffer
  std::string_view line_;
  std::uint64_t line_number_ = 0;
  bool too_long_ = false;
  std::optional<std::string> failure_;
};

}  // namespace copal::sim
