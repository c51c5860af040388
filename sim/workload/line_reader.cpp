#include "sim/workload/line_reader.h"

#include <lzma.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/base/assert.h"

namespace copal::sim {

namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr std::uint64_t kXzMemoryMax = 1ull << 30U;  // a hostile header may ask for any amount

/// Plain and gzip: zlib reads both, and members in a row as one.
class ZlibSource final : public ByteSource {
 public:
  explicit ZlibSource(const std::string& path) : file_(gzopen(path.c_str(), "rb")) {
    if (file_ == nullptr) {
      failure_ = errno == 0 ? "not enough memory" : std::strerror(errno);
      return;
    }
    gzbuffer(file_, kBufferBytes);
  }
  ~ZlibSource() override {
    if (file_ != nullptr) {
      gzclose_r(file_);
    }
  }
  ZlibSource(const ZlibSource&) = delete;
  ZlibSource& operator=(const ZlibSource&) = delete;

  std::size_t read(char* bytes, std::size_t size_bytes) override {
    if (!failure_.empty()) {
      return 0;
    }
    errno = 0;
    const int count = gzread(file_, bytes, static_cast<unsigned>(size_bytes));
    if (count > 0) {
      return static_cast<std::size_t>(count);
    }
    int code = Z_OK;
    const char* text = gzerror(file_, &code);
    if (code == Z_BUF_ERROR) {
      failure_ = "the gzip stream is cut off";
    } else if (code == Z_ERRNO) {
      failure_ = std::strerror(errno);
    } else if (code != Z_OK && code != Z_STREAM_END) {
      failure_ = std::string("the gzip stream is damaged: ") + text;
    }
    return 0;
  }

  const std::string& failure() const override { return failure_; }

 private:
  gzFile file_;
  std::string failure_;
};

class XzSource final : public ByteSource {
 public:
  explicit XzSource(const std::string& path) : file_(std::fopen(path.c_str(), "rb")) {
    if (file_ == nullptr) {
      failure_ = std::strerror(errno);
    } else if (lzma_stream_decoder(&stream_, kXzMemoryMax, LZMA_CONCATENATED) != LZMA_OK) {
      failure_ = "not enough memory";
    }
  }
  ~XzSource() override {
    lzma_end(&stream_);
    if (file_ != nullptr) {
      std::fclose(file_);
    }
  }
  XzSource(const XzSource&) = delete;
  XzSource& operator=(const XzSource&) = delete;

  std::size_t read(char* bytes, std::size_t size_bytes) override {
    stream_.next_out = reinterpret_cast<std::uint8_t*>(bytes);
    stream_.avail_out = size_bytes;
    while (failure_.empty() && !ended_ && stream_.avail_out == size_bytes) {
      decode_some();
    }
    return size_bytes - stream_.avail_out;
  }

  const std::string& failure() const override { return failure_; }

 private:
  void decode_some() {
    if (stream_.avail_in == 0 && !input_ended_) {
      stream_.next_in = input_.data();
      stream_.avail_in = std::fread(input_.data(), 1, input_.size(), file_);
      input_ended_ = stream_.avail_in < input_.size();
      if (std::ferror(file_) != 0) {
        failure_ = std::strerror(errno);
        return;
      }
    }
    // LZMA_FINISH makes the decoder say whether the end is one, or a file cut off.
    const lzma_ret code = lzma_code(&stream_, input_ended_ ? LZMA_FINISH : LZMA_RUN);
    if (code == LZMA_STREAM_END) {
      ended_ = true;
    } else if (code == LZMA_BUF_ERROR) {
      failure_ = "the xz stream is cut off";
    } else if (code == LZMA_MEMLIMIT_ERROR || code == LZMA_MEM_ERROR) {
      failure_ = "not enough memory to unpack the xz stream";
    } else if (code != LZMA_OK) {
      failure_ = "the xz stream is damaged";
    }
  }

  std::FILE* file_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  std::array<std::uint8_t, 64 * 1024> input_{};
  bool input_ended_ = false;
  bool ended_ = false;
  std::string failure_;
};

bool is_xz(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    return false;
  }
  std::array<char, 6> magic{};
  const std::size_t count = std::fread(magic.data(), 1, magic.size(), file);
  std::fclose(file);
  return count == magic.size() && std::memcmp(magic.data(),
                                              "\xFD"
                                              "7zXZ\0",
                                              6) == 0;
}

}  // namespace

std::unique_ptr<ByteSource> open_bytes(const std::string& path) {
  if (is_xz(path)) {
    return std::make_unique<XzSource>(path);
  }
  return std::make_unique<ZlibSource>(path);
}

LineReader::LineReader(std::string path)
    : path_(std::move(path)), source_(open_bytes(path_)), buffer_(new char[kBufferBytes]) {
  if (!source_->failure().empty()) {
    failure_ = path_ + ": " + source_->failure();
  }
}

bool LineReader::fill() {
  if (failure_) {
    return false;
  }
  const std::size_t count = source_->read(buffer_.get(), kBufferBytes);
  rest_ = {buffer_.get(), count};
  if (count == 0 && !source_->failure().empty()) {
    failure_ = path_ + ": " + source_->failure();
  }
  return count > 0;
}

bool LineReader::next() {
  held_.clear();
  too_long_ = false;
  for (bool begun = false;; begun = true) {
    if (rest_.empty() && !fill()) {
      // A last line without its end is a line, unless it is what a failure left of one.
      if (!begun || failure_) {
        return false;
      }
      line_ = held_;
      break;
    }
    const std::size_t end = rest_.find('\n');
    const std::string_view part = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (held_.empty() && end != std::string_view::npos) {
      line_ = part;  // the usual case: the whole line stands in the buffer
      break;
    }
    // Of an endless line no more is kept than tells that it is one.
    held_.append(part.substr(0, kLineBytesMax + 2 - std::min(held_.size(), kLineBytesMax + 2)));
    if (end != std::string_view::npos) {
      line_ = held_;
      break;
    }
  }
  ++line_number_;
  finish_line();
  return true;
}

void LineReader::finish_line() {
  if (line_number_ == 1 && line_.starts_with("\xEF\xBB\xBF")) {
    line_.remove_prefix(3);
  }
  if (line_.ends_with('\r')) {
    line_.remove_suffix(1);
  }
  too_long_ = line_.size() > kLineBytesMax;
  line_ = line_.substr(0, kLineBytesMax);
}

}  // namespace copal::sim
