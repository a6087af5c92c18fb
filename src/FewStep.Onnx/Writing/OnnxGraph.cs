using FewStep.Onnx.Proto;

namespace FewStep.Onnx.Writing;

/// <summary>A size of an input or an output: a number, or a name for one that every call may choose.</summary>
internal readonly record struct OnnxSize(long Number, string? Name = null)
{
    public static implicit operator OnnxSize(long number) => new(number);
    public static implicit operator OnnxSize(string name) => new(0, name);
}

/// <summary>A model of ONNX in the making: inputs, nodes, weights, outputs.</summary>
internal sealed class OnnxGraph
{
    /// <summary>The version of ONNX's operators.</summary>
    public const int Opset = 17;

    private const int FileVersion = 8; // the first with functions

    /// <param name="properties">What the file says of itself.</param>
    /// <param name="inHalf">Whether matrices and kernels are stored in float16.</param>
    /// <param name="outside">Where weights are written that do not lie in the file; null where they do.</param>
    public OnnxGraph(string name, IReadOnlyDictionary<string, string> properties, bool inHalf, OutsideWeights? outside = null)
    {
        Model = new ModelProto
        {
            IrVersion = FileVersion,
            ProducerName = "fewstep",
            ProducerVersion = typeof(Model).Assembly.GetName().Version!.ToString(3),
            Graph = new GraphProto { Name = name },
        };
        Model.OpsetImport.Add(new OperatorSetIdProto { Version = Opset });
        Model.MetadataProps.AddRange(properties.Select(p => new StringStringEntryProto { Key = p.Key, Value = p.Value }));
        Weights = new OnnxWeights(Model.Graph, inHalf, outside);
        Nodes = new OnnxNodes(Model.Graph.Node, Weights);
    }

    public ModelProto Model { get; }
    public OnnxNodes Nodes { get; }
    public OnnxWeights Weights { get; }

    /// <summary>Adds an input, float32 unless another type is said.</summary>
    /// <returns>Its name.</returns>
    public string Input(string name, params ReadOnlySpan<OnnxSize> sizes) => Input(name, TensorProto.Types.DataType.Float, sizes);

    /// <inheritdoc cref="Input(string, ReadOnlySpan{OnnxSize})"/>
    public string Input(string name, TensorProto.Types.DataType type, params ReadOnlySpan<OnnxSize> sizes)
    {
        Model.Graph.Input.Add(Described(name, type, sizes));
        return name;
    }

    /// <summary>Gives a value out, float32.</summary>
    public void Output(string name, string value, params ReadOnlySpan<OnnxSize> sizes)
    {
        Nodes.Add("Identity", [value], [name]);
        Model.Graph.Output.Add(Described(name, TensorProto.Types.DataType.Float, sizes));
    }

    /// <summary>The model, once all is there.</summary>
    public ModelProto Finish()
    {
        Weights.Finish();
        return Model;
    }

    private static ValueInfoProto Described(string name, TensorProto.Types.DataType type, ReadOnlySpan<OnnxSize> sizes)
    {
        var shape = new TensorShapeProto();
        foreach (var size in sizes)
        {
            shape.Dim.Add(size.Name is null ? new TensorShapeProto.Types.Dimension { DimValue = size.Number }
                : new TensorShapeProto.Types.Dimension { DimParam = size.Name });
        }

        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = shape } },
        };
    }
}
