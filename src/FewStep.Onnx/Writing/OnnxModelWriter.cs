using FewStep.Denoising;
using FewStep.Onnx.Proto;
using FewStep.Sampling;

namespace FewStep.Onnx.Writing;

/// <summary>Makes models of ONNX: a denoiser, or a whole sampler unrolled over one.</summary>
internal static class OnnxModelWriter
{
    private const string Batch = "batch";

    /// <summary>x [B,C,H,W], sigma [B] and, with classes, labels [B] to denoised [B,C,H,W].</summary>
    public static ModelProto Denoiser(IDenoiser denoiser, OnnxMetadata metadata)
    {
        var graph = Begin(metadata);
        string x = Images(graph, "x", denoiser.Shape), sigma = graph.Input("sigma", Batch);
        var writer = new DenoiserWriter(graph, denoiser, repeats: false);
        return End(graph, writer.At(sigma, x, Labels(graph, denoiser)), "denoised", denoiser.Shape);
    }

    /// <summary>latents [B,C,H,W] and, with classes, labels [B] to images [B,C,H,W].</summary>
    public static ModelProto Sampler(IDenoiser denoiser, LinearSampler sampler, OnnxMetadata metadata)
    {
        var graph = Begin(metadata);
        List<string> terms = [Images(graph, "latents", denoiser.Shape)]; // the latents, and the outputs so far
        string? labels = Labels(graph, denoiser);
        var writer = new DenoiserWriter(graph, denoiser, repeats: sampler.Calls.Length > 1);
        foreach (var call in sampler.Calls)
            terms.Add(writer.At(call.Sigma, Sum(graph.Nodes, terms, call.Weights), labels));
        return End(graph, Sum(graph.Nodes, terms, sampler.End), "images", denoiser.Shape);
    }

    private static OnnxGraph Begin(OnnxMetadata metadata)
        => new(metadata.Kind.ToString().ToLowerInvariant(), metadata.Write(), metadata.WeightsType == "float16");

    private static ModelProto End(OnnxGraph graph, string result, string output, ImageShape shape)
    {
        graph.Output(output, result, Batch, shape.Channels, shape.Height, shape.Width);
        return graph.Finish();
    }

    private static string Images(OnnxGraph graph, string name, ImageShape shape)
        => graph.Input(name, Batch, shape.Channels, shape.Height, shape.Width);

    private static string? Labels(OnnxGraph graph, IDenoiser denoiser)
        => denoiser.Classes > 0 ? graph.Input("labels", TensorProto.Types.DataType.Int64, Batch) : null;

    // What a solver does not weigh comes out as a rounding error of its weights.
    private static string Sum(OnnxNodes nodes, List<string> terms, IReadOnlyList<double> weights)
    {
        double smallest = weights.Max(Math.Abs) * 1e-14;
        string[] scaled = [.. terms.Zip(weights).Where(t => Math.Abs(t.Second) > smallest).Select(t => nodes.Times(t.First, t.Second))];
        return scaled.Length == 1 ? scaled[0] : nodes.Op("Sum", scaled);
    }
}
