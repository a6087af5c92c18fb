using System.Runtime.InteropServices;
using FewStep.Onnx.Proto;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace FewStep.Onnx.Writing;

/// <summary>Writes the nodes of a graph or of a function, each with one line: operators by their names in ONNX, values by
/// theirs.</summary>
/// <param name="weights">Where the weights lie.</param>
/// <param name="parameters">Inputs of the function that the nodes belong to, to which the weights that it uses are added; null in the
/// graph, which sees them all.</param>
internal sealed class OnnxNodes(RepeatedField<NodeProto> nodes, OnnxWeights weights, RepeatedField<string>? parameters = null)
{
    private readonly Dictionary<string, string> _constants = [];
    private int _values;

    /// <summary>A node with one output.</summary>
    /// <returns>The output's name.</returns>
    public string Op(string type, string[] inputs, params AttributeProto[] attributes) => Op(type, 1, inputs, attributes)[0];

    /// <summary>A node with several outputs.</summary>
    public string[] Op(string type, int outputs, string[] inputs, params AttributeProto[] attributes)
    {
        string[] names = [.. Enumerable.Range(0, outputs).Select(_ => NewName())];
        Add(type, inputs, names, attributes);
        return names;
    }

    /// <summary>A node whose outputs have names of their own.</summary>
    /// <param name="domain">Of a function's name.</param>
    public void Add(string type, string[] inputs, string[] outputs, AttributeProto[]? attributes = null, string domain = "")
    {
        var node = new NodeProto { OpType = type, Domain = domain };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        node.Attribute.AddRange(attributes ?? []);
        nodes.Add(node);
    }

    public string NewName() => FormattableString.Invariant($"v{_values++}");
    public string Plus(string a, string b) => Op("Add", [a, b]);
    public string Minus(string a, string b) => Op("Sub", [a, b]);
    public string Times(string a, string b) => Op("Mul", [a, b]);
    public string Times(string a, double factor) => factor == 1 ? a : Times(a, Number(factor));
    public string Silu(string x) => Times(x, Op("Sigmoid", [x]));
    public string Reshape(string x, params long[] shape) => Op("Reshape", [x, Integers(shape)]);
    public string Transpose(string x, params long[] axes) => Op("Transpose", [x], Of("perm", axes));
    public string Concat(int axis, params string[] parts) => Op("Concat", parts, Of("axis", axis));
    public string[] Split(string x, int parts, int axis) => Op("Split", parts, [x], Of("axis", axis));
    public string Cast(string x, TensorProto.Types.DataType type) => Op("Cast", [x], Of("to", (long)type));

    /// <summary>A weight, held once by the model however many nodes use it.</summary>
    /// <param name="value">Makes the values, float32, in the shape in which they are used.</param>
    /// <param name="exact">Whether they are never rounded.</param>
    public string Weight(string name, Func<Tensor> value, bool exact = false)
    {
        weights.Hold(name, value, exact);
        if (parameters is not null && !parameters.Contains(name))
            parameters.Add(name);
        return name;
    }

    /// <summary>float32, a scalar.</summary>
    public string Number(double value) => Floats([value]);

    /// <summary>float32 values of a shape; without one they are a scalar.</summary>
    public string Floats(double[] values, params long[] shape)
        => Constant(TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes<float>(Array.ConvertAll(values, v => (float)v)), shape);

    /// <summary>float64 values of a shape; without one they are a scalar.</summary>
    public string Doubles(double[] values, params long[] shape)
        => Constant(TensorProto.Types.DataType.Double, MemoryMarshal.AsBytes<double>(values), shape);

    /// <summary>int64, a list.</summary>
    public string Integers(params long[] values)
        => Constant(TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes<long>(values), [values.Length]);

    /// <summary>int64, a scalar.</summary>
    public string Integer(long value) => Constant(TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes<long>([value]), []);

    public static AttributeProto Of(string name, long value)
        => new() { Name = name, I = value, Type = AttributeProto.Types.AttributeType.Int };

    public static AttributeProto Of(string name, double value)
        => new() { Name = name, F = (float)value, Type = AttributeProto.Types.AttributeType.Float };

    public static AttributeProto Of(string name, string value)
        => new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = AttributeProto.Types.AttributeType.String };

    public static AttributeProto Of(string name, TensorProto value)
        => new() { Name = name, T = value, Type = AttributeProto.Types.AttributeType.Tensor };

    public static AttributeProto Of(string name, long[] values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    private string Constant(TensorProto.Types.DataType type, ReadOnlySpan<byte> bytes, long[] shape)
    {
        string key = $"{type} [{string.Join(',', shape)}] {Convert.ToHexString(bytes)}";
        if (_constants.TryGetValue(key, out string? known))
            return known;
        var tensor = new TensorProto { DataType = (int)type, RawData = ByteString.CopyFrom(bytes) };
        tensor.Dims.AddRange(shape);
        return _constants[key] = Op("Constant", [], Of("value", tensor));
    }
}
