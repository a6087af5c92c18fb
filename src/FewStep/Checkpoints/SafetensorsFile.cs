namespace FewStep.Checkpoints;

/// <summary>The safetensors format: an 8-byte length, a JSON header, raw little-endian values. Read strictly, written atomically.</summary>
internal static class SafetensorsFile
{
    private const long MaximumHeader = 100 << 20;

    private static readonly (string Name, ScalarType Type, int Size)[] Types =
    [
        ("F64", ScalarType.Float64, 8),
        ("F32", ScalarType.Float32, 4),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8),
        ("I32", ScalarType.Int32, 4),
        ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1),
        ("BOOL", ScalarType.Bool, 1),
    ];

    /// <param name="wanted">Says by its name whether a tensor is read; null (default) for all. The whole header is checked anyway.</param>
    /// <returns>Tensors by name in the file's types, which the caller owns, and the <c>__metadata__</c> texts.</returns>
    public static (TensorsByName Tensors, Dictionary<string, string> Metadata) Read(string path, Func<string, bool>? wanted = null)
    {
        TorchLibrary.Require();
        var tensors = new TensorsByName();
        try
        {
            GitLfsPointer.Refuse(path);
            using var stream = InputFile.Open(path);
            return (tensors, Read(stream, path, tensors, wanted));
        }
        catch (Exception e)
        {
            tensors.Dispose();
            throw e switch
            {
                EndOfStreamException => new InvalidInputException($"{path} is truncated.", e),
                JsonException json
                    => new InvalidInputException($"{path} has an invalid safetensors header: {JsonProblem.Describe(json)}.", e),
                KeyNotFoundException or FormatException or InvalidOperationException or OverflowException
                    => new InvalidInputException($"{path} has an invalid safetensors header: {e.Message.ReplaceLineEndings(" ")}", e),
                IOException or UnauthorizedAccessException => ReadFailure.Of(path, e),
                _ => e,
            };
        }
    }

    /// <summary>Writes tensors, whole or not at all.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
        => AtomicFile.Write(path, Writer(tensors, metadata));

    /// <summary>Writes tensors that are made when it is their turn, in the order of their names.</summary>
    public static void Write(string path, IEnumerable<StoredTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
        => AtomicFile.Write(path, Writer(tensors, metadata));

    /// <summary>Writes the content of a file to a stream.</summary>
    internal static Action<Stream> Writer(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata)
        => Writer(tensors.Select(t => new StoredTensor(t.Key, t.Value.shape, t.Value.dtype, () => t.Value.alias())), metadata);

    private static Action<Stream> Writer(IEnumerable<StoredTensor> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var header = new SortedDictionary<string, object>(StringComparer.Ordinal);
        if (metadata is { Count: > 0 })
            header["__metadata__"] = metadata;
        var ordered = tensors.OrderBy(t => t.Name, StringComparer.Ordinal).ToList();
        long offset = 0;
        foreach (var (name, shape, stored, _) in ordered)
        {
            var type = Types.FirstOrDefault(t => t.Type == stored);
            if (type.Name is null)
                throw new ArgumentException($"safetensors cannot hold {stored} ({name}).", nameof(tensors));
            long end = offset + (shape.Aggregate(1L, (all, side) => all * side) * type.Size);
            header[name] = new { dtype = type.Name, shape, data_offsets = new[] { offset, end } };
            offset = end;
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        int padding = (8 - json.Length % 8) % 8; // values start aligned
        return stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, json.Length + padding);
            stream.Write(length);
            stream.Write(json);
            stream.Write("        "u8[..padding]);
            foreach (var tensor in ordered)
            {
                using var scope = NewDisposeScope();
                TensorBytes.Read(tensor.Make(), part => stream.Write(part));
            }
        };
    }

    private static Dictionary<string, string> Read(Stream stream, string path, TensorsByName tensors, Func<string, bool>? wanted)
    {
        Span<byte> prefix = stackalloc byte[8];
        stream.ReadExactly(prefix);
        long length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length is < 2 or > MaximumHeader || length > stream.Length - 8)
        {
            throw new InvalidInputException(
                $"{path} is no safetensors file, or is truncated: its header states {length} bytes, the file has {stream.Length}.");
        }

        var json = new byte[length];
        stream.ReadExactly(json);
        using var header = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
        long start = 8 + length, space = stream.Length - start;
        long expected = 0;
        var entries = header.RootElement.EnumerateObject().Where(p => p.Name != "__metadata__").Select(p => Entry.Parse(p, path))
            .OrderBy(e => e.Begin).ToList();
        var metadata = new Dictionary<string, string>();
        if (header.RootElement.TryGetProperty("__metadata__", out var texts))
        {
            foreach (var text in texts.EnumerateObject())
                metadata[text.Name] = text.Value.GetString() ?? "";
        }

        foreach (var entry in entries)
        {
            if (entry.Begin != expected || entry.End > space)
            {
                string name = Printable.Text(entry.Name);
                throw new InvalidInputException(entry.End > space
                    ? $"{path} is truncated: {name} ends at byte {start + entry.End}, the file at {stream.Length}."
                    : $"{path}: the data of {name} overlaps another tensor's or leaves a gap.");
            }

            expected = entry.End;
            if (wanted?.Invoke(entry.Name) == false)
                continue;
            stream.Position = start + entry.Begin;
            var tensor = empty(entry.Shape, entry.Type).DetachFromDisposeScope();
            if (!tensors.TryAdd(entry.Name, tensor))
            {
                tensor.Dispose();
                throw new InvalidInputException($"{path} names {Printable.Text(entry.Name)} twice.");
            }

            if (entry.End > entry.Begin)
                tensor.ReadBytesFromStream(stream);
        }

        if (expected != space)
            throw new InvalidInputException($"{path} has {space - expected} bytes that belong to no tensor.");
        return metadata;
    }

    private sealed record Entry(string Name, ScalarType Type, long[] Shape, long Begin, long End)
    {
        public static Entry Parse(JsonProperty property, string path)
        {
            string typeName = property.Value.GetProperty("dtype").GetString() ?? "", name = Printable.Text(property.Name);
            var type = Types.FirstOrDefault(t => t.Name == typeName);
            if (type.Name is null)
                throw new InvalidInputException($"{path}: {name} has the unknown type {Printable.Text(typeName)}.");
            long[] shape = [.. property.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())];
            long[] offsets = [.. property.Value.GetProperty("data_offsets").EnumerateArray().Select(d => d.GetInt64())];
            // Axes beside an empty one count too: libtorch computes strides from all of them.
            long bytes = type.Size, bound = type.Size;
            foreach (long d in shape)
            {
                if (d is < 0 or > int.MaxValue || bound > long.MaxValue / Math.Max(d, 1))
                    throw new InvalidInputException($"{path}: {name} has the impossible size {d}.");
                bytes *= d;
                bound *= Math.Max(d, 1);
            }

            if (shape.Length > 16 || offsets.Length != 2 || offsets[0] < 0 || offsets[1] - offsets[0] != bytes)
            {
                throw new InvalidInputException($"{path}: {name} has shape "
                    + $"[{Printable.Line(string.Join(',', shape))}] of {typeName}, which its data offsets do not match.");
            }

            return new(property.Name, type.Type, shape, offsets[0], offsets[1]);
        }
    }
}

/// <summary>A tensor of a file that is written.</summary>
/// <param name="Make">Makes it in the current dispose scope.</param>
internal sealed record StoredTensor(string Name, long[] Shape, ScalarType Type, Func<Tensor> Make);
