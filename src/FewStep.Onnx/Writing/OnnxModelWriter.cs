using FewStep.Denoising;
using FewStep.Onnx.Proto;
using FewStep.Sampling;

namespace FewStep.Onnx.Writing;

/// <summary>Makes models of ONNX: a denoiser, or a whole sampler unrolled over one.</summary>
internal static class OnnxModelWriter
{
    /// <summary>The version of ONNX's operators.</summary>
    public const int Opset = 17;

    private const int FileVersion = 8; // the first with functions
    private const string Batch = "batch";

    /// <summary>x [B,C,H,W], sigma [B] and, with classes, labels [B] to denoised [B,C,H,W].</summary>
    public static ModelProto Denoiser(IDenoiser denoiser, OnnxMetadata metadata)
    {
        var (model, nodes, weights) = Begin(denoiser, metadata, "x");
        model.Graph.Input.Insert(1, Value("sigma", TensorProto.Types.DataType.Float));
        var writer = new DenoiserWriter(model, nodes, weights, denoiser, repeats: false);
        return End(model, nodes, weights, writer.At("sigma", "x", Labels(denoiser)), "denoised", denoiser.Shape);
    }

    /// <summary>latents [B,C,H,W] and, with classes, labels [B] to images [B,C,H,W].</summary>
    public static ModelProto Sampler(IDenoiser denoiser, LinearSampler sampler, OnnxMetadata metadata)
    {
        var (model, nodes, weights) = Begin(denoiser, metadata, "latents");
        var writer = new DenoiserWriter(model, nodes, weights, denoiser, repeats: sampler.Calls.Length > 1);
        List<string> terms = ["latents"]; // the latents, and the outputs so far
        foreach (var call in sampler.Calls)
            terms.Add(writer.At(call.Sigma, Sum(nodes, terms, call.Weights), Labels(denoiser)));
        return End(model, nodes, weights, Sum(nodes, terms, sampler.End), "images", denoiser.Shape);
    }

    private static (ModelProto Model, OnnxNodes Nodes, OnnxWeights Weights) Begin(IDenoiser denoiser, OnnxMetadata metadata, string input)
    {
        var model = new ModelProto
        {
            IrVersion = FileVersion,
            ProducerName = "fewstep",
            ProducerVersion = metadata.Version,
            Graph = new GraphProto { Name = metadata.Kind.ToString().ToLowerInvariant() },
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = Opset });
        model.MetadataProps.AddRange(metadata.Write().Select(p => new StringStringEntryProto { Key = p.Key, Value = p.Value }));
        model.Graph.Input.Add(Value(input, TensorProto.Types.DataType.Float, denoiser.Shape));
        if (Labels(denoiser) is string labels)
            model.Graph.Input.Add(Value(labels, TensorProto.Types.DataType.Int64));
        var weights = new OnnxWeights(model.Graph, metadata.WeightsType == "float16");
        return (model, new OnnxNodes(model.Graph.Node, weights), weights);
    }

    private static ModelProto End(
        ModelProto model, OnnxNodes nodes, OnnxWeights weights, string result, string output, ImageShape shape)
    {
        nodes.Add("Identity", [result], [output]);
        model.Graph.Output.Add(Value(output, TensorProto.Types.DataType.Float, shape));
        weights.Finish();
        return model;
    }

    private static string? Labels(IDenoiser denoiser) => denoiser.Classes > 0 ? "labels" : null;

    // What a solver does not weigh comes out as a rounding error of its weights.
    private static string Sum(OnnxNodes nodes, List<string> terms, IReadOnlyList<double> weights)
    {
        double smallest = weights.Max(Math.Abs) * 1e-14;
        string[] scaled = [.. terms.Zip(weights).Where(t => Math.Abs(t.Second) > smallest).Select(t => nodes.Times(t.First, t.Second))];
        return scaled.Length == 1 ? scaled[0] : nodes.Op("Sum", scaled);
    }

    private static ValueInfoProto Value(string name, TensorProto.Types.DataType type, ImageShape? shape = null)
    {
        var sizes = new TensorShapeProto();
        sizes.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = Batch });
        sizes.Dim.AddRange((shape is null ? [] : shape.Batch(1)[1..]).Select(s => new TensorShapeProto.Types.Dimension { DimValue = s }));
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = sizes } },
        };
    }
}
