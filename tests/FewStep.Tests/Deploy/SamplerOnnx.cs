using FewStep.Denoising;
using FewStep.Tests.Onnx;

namespace FewStep.Tests.Deploy;

/// <summary>Sampler graphs whose images are known.</summary>
internal static class SamplerOnnx
{
    public const int Classes = 3;
    public const float Scale = 0.8f;

    public static readonly ImageShape Shape = new(3, 4, 5);

    /// <summary>images = tanh(0.8 latents + label / 4); the label 3 is "no class".</summary>
    public static OnnxFile Conditional() => Described(Body()
        .Input("labels", OnnxFile.Int64, [null])
        .Floats("table", [Classes + 1], [.. Enumerable.Range(0, Classes + 1).Select(Bias)])
        .Integers("column", [4], -1, 1, 1, 1)
        .Node("Gather", "k", "table", "labels")
        .Node("Reshape", "bias", "k", "column")
        .Node("Add", "biased", "scaled", "bias")
        .Node("Tanh", "images", "biased"), Shape, Classes)
        .Metadata("fewstep.no_class", "true")
        .Metadata("fewstep.class_names", """["shoe", "shirt", "bag"]""");

    /// <summary>images = tanh(0.8 latents).</summary>
    public static OnnxFile Unconditional() => Described(Body().Node("Tanh", "images", "scaled"), Shape, 0);

    /// <summary>A graph that computes for ever.</summary>
    public static OnnxFile Endless() => Described(new OnnxFile().Input("latents", OnnxFile.Float, null, 1, 2, 2)
        .Output("images", null, 1, 2, 2).Endless("images", "latents"), new ImageShape(1, 2, 2), 0);

    public static float Image(float latent, long label) => MathF.Tanh((latent * Scale) + Bias((int)label));

    public static OnnxFile Described(OnnxFile file, ImageShape shape, int classes) => file
        .Metadata("fewstep.kind", "sampler")
        .Metadata("fewstep.format", "1")
        .Metadata("fewstep.version", "0.1.0")
        .Metadata("fewstep.model", "tiny")
        .Metadata("fewstep.shape", $"{shape.Channels},{shape.Height},{shape.Width}")
        .Metadata("fewstep.classes", classes.ToString(CultureInfo.InvariantCulture))
        .Metadata("fewstep.steps", "2")
        .Metadata("fewstep.evaluations", "2");

    private static float Bias(int label) => label / 4f;

    private static OnnxFile Body() => new OnnxFile()
        .Input("latents", OnnxFile.Float, null, Shape.Channels, Shape.Height, Shape.Width)
        .Output("images", null, Shape.Channels, Shape.Height, Shape.Width)
        .Floats("w", [1], Scale)
        .Node("Mul", "scaled", "latents", "w");
}
