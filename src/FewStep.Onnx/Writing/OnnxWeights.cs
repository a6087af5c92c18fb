using FewStep.Networks;
using FewStep.Onnx.Proto;
using Google.Protobuf;

namespace FewStep.Onnx.Writing;

/// <summary>The weights of a model that is written, each once: the graph's initializers.</summary>
/// <remarks>In float16 the matrices and kernels are stored so, and cast to float32 where the graph begins: half the file, and the
/// arithmetic stays float32. What has one dimension (shifts, norms) is small, and stays float32.</remarks>
/// <param name="outside">Where they are written in place of the graph; null where they lie in it.</param>
internal sealed class OnnxWeights(GraphProto graph, bool inHalf, OutsideWeights? outside = null)
{
    /// <summary>Bytes that a protobuf message can hold, with room for the nodes.</summary>
    public const long LargestFile = int.MaxValue - (64 << 20);

    private readonly HashSet<string> _names = [];
    private readonly List<NodeProto> _casts = [];
    private long _bytes;

    /// <summary>Holds a weight under a name; a second time does nothing.</summary>
    /// <param name="exact">Whether it stays float32 in any case.</param>
    public void Hold(string name, Func<Tensor> value, bool exact)
    {
        if (!_names.Add(name))
            return;
        using var scope = NewDisposeScope();
        var values = value();
        bool half = inHalf && !exact && Halves(values.shape);
        var stored = (half ? Rounded(name, values) : values).contiguous();
        _bytes += stored.NumberOfElements * stored.ElementSize;
        if (outside is null && _bytes > LargestFile)
        {
            throw new InvalidInputException("The weights take more than 2 GiB, which one ONNX file cannot hold"
                + $"{(inHalf ? "" : "; store them as float16")}.");
        }

        var tensor = new TensorProto
        {
            Name = half ? $"{name}.float16" : name,
            DataType = (int)(half ? TensorProto.Types.DataType.Float16 : TensorProto.Types.DataType.Float),
        };
        if (outside is null)
            tensor.RawData = UnsafeByteOperations.UnsafeWrap(stored.bytes.ToArray());
        else
            outside.Write(stored, tensor);
        tensor.Dims.AddRange(stored.shape);
        graph.Initializer.Add(tensor);
        if (half)
        {
            var cast = new NodeProto { OpType = "Cast" };
            cast.Input.Add(tensor.Name);
            cast.Output.Add(name);
            cast.Attribute.Add(OnnxNodes.Of("to", (long)TensorProto.Types.DataType.Float));
            _casts.Add(cast);
        }
    }

    /// <summary>Puts the casts where the graph begins, once all nodes are there.</summary>
    public void Finish()
    {
        NodeProto[] nodes = [.. _casts, .. graph.Node];
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
    }

    /// <summary>Weights as they are stored: themselves, or with matrices and kernels rounded to float16.</summary>
    /// <param name="weights">Flat float32 weights in the layout.</param>
    /// <returns>float32, flat; the caller owns it where it is another tensor.</returns>
    public static Tensor AsStored(ParameterLayout layout, Tensor weights, bool inHalf)
    {
        if (!inHalf)
            return weights;
        var views = layout.Specs.Zip(layout.Views(weights)).ToDictionary(p => p.First.Name, p => p.Second);
        return layout.Flatten(spec => Halves(spec.Shape) ? Rounded(spec.Name, views[spec.Name]) : views[spec.Name]);
    }

    /// <summary>Bytes of all weights of a layout as they are stored.</summary>
    public static long BytesOf(ParameterLayout layout, bool inHalf)
        => layout.Specs.Sum(spec => spec.Count * (inHalf && Halves(spec.Shape) ? sizeof(short) : sizeof(float)));

    /// <summary>Whether weights of a shape are stored in float16 where that is asked for: matrices and kernels.</summary>
    public static bool Halves(long[] shape) => shape.Length is 2 or 4;

    /// <summary>Weights in float16.</summary>
    /// <exception cref="InvalidInputException">One of them is larger than float16 can hold.</exception>
    public static Tensor Rounded(string name, Tensor values)
    {
        var half = values.to(ScalarType.Float16);
        return half.isfinite().all().item<bool>() ? half : throw new InvalidInputException(InvariantText.Of(
            $"The weights {name} reach {values.abs().max().item<float>():G4}, which is beyond float16 (65504); store them as float32."));
    }
}
