using FewStep.Checkpoints;

namespace FewStep.Onnx;

/// <summary>Looks through an ONNX file before ONNX Runtime does: finds the further files that its weights lie in, and refuses what reaches
/// out of its folder or claims more values than there are bytes.</summary>
internal sealed class OnnxFileScan(string path)
{
    private const int DeepestNesting = 64;
    private const int LongestText = 1 << 20;
    private const int BitsPerByte = 8; // no element type of ONNX takes less than a bit
    private readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
    private readonly SortedDictionary<string, long> _files = new(StringComparer.Ordinal);

    /// <summary>The messages of a file of ONNX (onnx.proto, version 3) that lead to tensors, and their fields.</summary>
    private enum Message
    {
        Model,
        Graph,
        Node,
        Attribute,
        Function,
        Training,
        SparseTensor,
        Tensor,
    }

    public static IReadOnlyList<string> ExternalFiles(string path)
    {
        using var source = ByteSource.Open(path);
        var scan = new OnnxFileScan(path);
        return scan.Walk(Message.Model, source, 0) ? [.. scan._files.Keys]
            : throw new InvalidInputException($"{path} holds no ONNX graph; fetch or export it again.");
    }

    /// <summary>The properties that the file says of its model.</summary>
    public static IReadOnlyDictionary<string, string> Properties(string path)
    {
        const int properties = 14;
        using var source = ByteSource.Open(path);
        var found = new Dictionary<string, string>();
        foreach (var field in ProtobufFields.Of(source))
        {
            if (field is { Number: properties, Content: { } entry } && Pair(entry) is (string key, var value))
                found[key] = value ?? ""; // protobuf leaves empty texts out
        }

        return found;
    }

    // Whether the message holds a graph.
    private bool Walk(Message kind, ByteSource message, int depth)
    {
        bool graph = false;
        if (depth > DeepestNesting)
            throw new InvalidInputException($"{path} nests its graphs more than {DeepestNesting} deep; no model that is known does.");
        foreach (var field in ProtobufFields.Of(message))
        {
            if (field.Content is { } content && Inner(kind, field.Number) is { } inner)
            {
                graph |= inner == Message.Graph;
                if (inner == Message.Tensor)
                    CheckTensor(content);
                else
                    Walk(inner, content, depth + 1);
            }
        }

        return graph;
    }

    private static Message? Inner(Message kind, int field) => (kind, field) switch
    {
        (Message.Model, 7) => Message.Graph,
        (Message.Model, 20) => Message.Training,
        (Message.Model, 25) => Message.Function,
        (Message.Training, 1 or 2) => Message.Graph,
        (Message.Graph, 1) => Message.Node,
        (Message.Graph, 5) => Message.Tensor,
        (Message.Graph, 15) => Message.SparseTensor,
        (Message.SparseTensor, 1 or 2) => Message.Tensor,
        (Message.Function, 7) => Message.Node,
        (Message.Function, 11) => Message.Attribute,
        (Message.Node, 5) => Message.Attribute,
        (Message.Attribute, 5 or 10) => Message.Tensor,
        (Message.Attribute, 6 or 11) => Message.Graph,
        (Message.Attribute, 22 or 23) => Message.SparseTensor,
        _ => null,
    };

    private void CheckTensor(ByteSource tensor)
    {
        const int dimensions = 1, externalData = 13, dataLocation = 14;
        double values = 1;
        string? file = null;
        bool outside = false;
        foreach (var field in ProtobufFields.Of(tensor))
        {
            switch (field.Number)
            {
                case dimensions when field.Content is null:
                    values *= Size(field.Value);
                    break;
                case dimensions: // packed
                    values *= Packed(field.Content!);
                    break;
                case externalData when field.Content is { } entry:
                    file = Location(entry) ?? file;
                    break;
                case dataLocation:
                    outside = field.Value == 1;
                    break;
            }
        }

        long room = tensor.Length;
        if (outside || file is not null)
            room = OutsideBytes(file);
        if (values > (double)room * BitsPerByte)
            throw new InvalidInputException($"{path} claims a tensor of {values:G3} values in {room} bytes; fetch or export it again.");
    }

    private double Size(ulong dimension) => dimension <= long.MaxValue ? dimension
        : throw new InvalidInputException($"{path} holds a tensor with a negative size; fetch or export it again.");

    private double Packed(ByteSource sizes)
    {
        double product = 1;
        byte[] bytes = sizes.ToArray(LongestText);
        for (int used = 0; used < bytes.Length;)
            product *= Size(ProtobufFields.Number(sizes, bytes, ref used));
        return product;
    }

    // The value of the entry whose key is "location".
    private static string? Location(ByteSource entry)
        => Pair(entry) is ("location", var value) ? value ?? "" : null;

    private static (string? Key, string? Value) Pair(ByteSource entry)
    {
        string? key = null, value = null;
        foreach (var field in ProtobufFields.Of(entry))
        {
            if (field.Content is { } text)
            {
                string read = Encoding.UTF8.GetString(text.ToArray(LongestText));
                (key, value) = field.Number switch { 1 => (read, value), 2 => (key, read), _ => (key, value) };
            }
        }

        return (key, value);
    }

    // A model from elsewhere must not make this program read any other file of its user's.
    private long OutsideBytes(string? location)
    {
        if (string.IsNullOrWhiteSpace(location) || location.Contains('\0', StringComparison.Ordinal) || Path.IsPathRooted(location)
            || location.Contains(':', StringComparison.Ordinal))
        {
            throw new InvalidInputException($"{path} keeps weights in the file {Printable.Text(location ?? "")}, which is no path within "
                + "the model's folder; it is refused.");
        }

        string full = Path.GetFullPath(Path.Combine(_folder, location));
        if (!full.StartsWith(Path.TrimEndingDirectorySeparator(_folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw new InvalidInputException(
                $"{path} keeps weights in the file {Printable.Text(location)}, outside of the model's folder; it is refused.");
        }

        InputFile.Check(full);
        return _files[full] = File.Exists(full) ? new FileInfo(full).Length : throw new InvalidInputException(
            $"{path} keeps weights in the file {Printable.Text(location)}, which is not there; put it beside the model.");
    }
}
