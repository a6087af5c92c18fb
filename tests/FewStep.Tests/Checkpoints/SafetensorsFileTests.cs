using System.Buffers.Binary;
using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"fewstep-{Guid.NewGuid():N}.safetensors");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Tensors_and_metadata_come_back()
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>
        {
            ["f32"] = randn(2, 3).permute(1, 0),
            ["f64"] = randn(3, dtype: ScalarType.Float64),
            ["bf16"] = randn(5).to(ScalarType.BFloat16),
            ["i64"] = arange(4),
            ["scalar"] = tensor(3.5f),
            ["empty"] = zeros(0, 4),
        };
        SafetensorsFile.Write(_path, tensors, new Dictionary<string, string> { ["k"] = "v" });
        var (read, metadata) = SafetensorsFile.Read(_path);
        Assert.Equal("v", metadata["k"]);
        Assert.Equal(tensors.Keys.Order(), read.Keys.Order());
        foreach (var (name, tensor) in tensors)
        {
            Assert.Equal(tensor.dtype, read[name].dtype);
            Assert.Equal(tensor.shape, read[name].shape);
            Assert.True(tensor.eq(read[name]).all().item<bool>(), name);
            read[name].Dispose();
        }
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "truncated")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 12, "belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "do not match")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "impossible size")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", 8, "impossible size")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904,8],"data_offsets":[0,0]}}""", 0, "impossible size")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,2147483647,2147483647,2147483647],"data_offsets":[0,0]}}""", 0, "impossible size")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647,0],"data_offsets":[0,0]}}""", 0, "impossible size")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "truncated")]
    [InlineData("""{"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}}""", 8, "unknown type")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "gap")]
    [InlineData("""{"a":5}""", 0, "invalid")]
    [InlineData("""[]""", 0, "invalid")]
    [InlineData("""{"a""", 0, "invalid")]
    public void A_damaged_file_is_one_clear_line(string header, int bytes, string expected)
    {
        var content = new byte[8 + header.Length + bytes];
        BinaryPrimitives.WriteInt64LittleEndian(content, header.Length);
        Encoding.ASCII.GetBytes(header).CopyTo(content, 8);
        File.WriteAllBytes(_path, content);
        Refused(expected);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(1000)]
    public void A_lying_header_length_is_refused(long length)
    {
        var content = new byte[64];
        BinaryPrimitives.WriteInt64LittleEndian(content, length);
        File.WriteAllBytes(_path, content);
        Refused("no safetensors file");
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(_path, new Dictionary<string, Tensor> { ["a"] = randn(5), ["b"] = randn(2) });
        byte[] whole = File.ReadAllBytes(_path);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(_path, whole[..length]);
            Refused(_path);
        }
    }

    [Fact]
    public void Nothing_half_written_is_left_where_the_target_cannot_be_replaced()
    {
        Directory.CreateDirectory(_path);
        try
        {
            Assert.Throws<InvalidInputException>(() => SafetensorsFile.Write(_path, new Dictionary<string, Tensor>()));
            Assert.Empty(Directory.GetFiles(Path.GetTempPath(), Path.GetFileName(_path) + "*"));
        }
        finally
        {
            Directory.Delete(_path);
        }
    }

    private void Refused(string expected)
    {
        var error = Assert.Throws<InvalidInputException>(() => SafetensorsFile.Read(_path));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
