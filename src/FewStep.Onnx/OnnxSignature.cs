using FewStep.Models;
using FewStep.Denoising;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace FewStep.Onnx;

/// <summary>An input of a model: name, element type and sizes.</summary>
internal sealed record OnnxInput(string Name, TensorElementType Element, ScalarType Type, IReadOnlyList<int> Sizes);

/// <summary>Which of a model's inputs and outputs are what.</summary>
/// <param name="Image">Noised images [B,C,H,W].</param>
/// <param name="Noise">Sigma or time: a scalar, [1], or one for each image.</param>
/// <param name="Label">Class labels [B], or one-hot [B,K]; null where there are none.</param>
internal sealed record OnnxSignature(OnnxInput Image, OnnxInput Noise, OnnxInput? Label, string Output, ImageShape Shape)
{
    /// <summary>Text embedding [B,L,D]; null where it takes no text.</summary>
    public OnnxInput? Context { get; private init; }

    /// <summary>Pooled text embedding [B,P]; null where it takes none.</summary>
    public OnnxInput? Pooled { get; private init; }

    /// <summary>Sizes and crops [B,6]; null where it takes none.</summary>
    public OnnxInput? Sizes { get; private init; }

    /// <summary>Embedded guidance scale of latent consistency models [B,G]; null where it takes none.</summary>
    public OnnxInput? EmbeddedGuidance { get; private init; }

    /// <summary>Guidance scale of Flux [B]; null where it takes none.</summary>
    public OnnxInput? Guidance { get; private init; }

    /// <summary>Places of an image's tokens [N,3], or [B,N,3]; null where it takes none.</summary>
    public OnnxInput? Places { get; private init; }

    /// <summary>Places of a text's tokens [L,3], or [B,L,3]; null where it takes none.</summary>
    public OnnxInput? TextPlaces { get; private init; }

    /// <summary>Whether images are tokens [B,N,4 C] of latents whose patches are folded, as Flux is given them.</summary>
    public bool IsPacked => Places is not null;

    /// <summary>Most values that the images of a call may have: 64 MiB in float32.</summary>
    public const long LargestCall = 1L << 24;

    /// <summary>Pixels of a token of folded latents.</summary>
    private const int FoldedPixels = 4;

    private static readonly string[] ImageNames =
        ["x", "sample", "input", "latent", "latents", "image", "x_t", "xt", "noisy", "noised", "hidden_states"];
    private static readonly string[] SigmaNames = ["sigma", "sigmas", "noise_level"];
    private static readonly string[] TimeNames = ["timestep", "timesteps", "t", "time", "times"];
    private static readonly string[] LabelNames = ["class_labels", "class_label", "labels", "label", "y", "classes"];
    private static readonly string[] ContextNames = ["encoder_hidden_states"];
    private static readonly string[] PooledNames = ["text_embeds", "pooled_projections"];
    private static readonly string[] SizesNames = ["time_ids"];
    private static readonly string[] EmbeddedGuidanceNames = ["timestep_cond"];
    private static readonly string[] GuidanceNames = ["guidance"];
    private static readonly string[] PlacesNames = ["img_ids"];
    private static readonly string[] TextPlacesNames = ["txt_ids"];
    private static readonly string[] TextNames = [.. ContextNames, .. PooledNames, .. SizesNames, .. EmbeddedGuidanceNames];
    private static readonly string[] OutputNames =
    [
        "denoised", "out_sample", "out_hidden_states", "output", "noise_pred", "model_output", "sample", "eps", "epsilon", "velocity", "x0",
        "out",
    ];

    /// <summary>Number of images in every call; null where it may vary.</summary>
    public int? FixedBatch => Image.Sizes[0] > 0 ? Image.Sizes[0] : null;

    /// <summary>Whether all images of a call share one noise level.</summary>
    public bool SharesNoise => Noise.Sizes.Count == 0 || (Noise.Sizes[0] == 1 && FixedBatch != 1);

    /// <summary>Whether the model is told sigma, as its input's name says, and not a time.</summary>
    public bool IsToldSigma => SigmaNames.Contains(Noise.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether labels are one-hot rows, and not indices.</summary>
    public bool IsOneHot => Label is { Sizes.Count: 2 };

    /// <param name="takesText">Whether text conditions may be among the inputs.</param>
    public static OnnxSignature Of(string path, OnnxSession session, OnnxModelDescription description, bool takesText = false)
    {
        string image = Find(path, "input", "images", session.Inputs.Keys, description.ImageInput, "image_input", ImageNames)!;
        string noise = Find(path, "input", "the noise level", session.Inputs.Keys.Where(n => n != image), description.NoiseInput,
            "noise_input", [.. SigmaNames, .. TimeNames])!;
        string? label = Find(path, "input", "labels", session.Inputs.Keys.Where(n => n != image && n != noise), description.LabelInput,
            "label_input", LabelNames, needed: false);
        string? Told(string what, string[] names)
            => takesText ? Find(path, "input", what, session.Inputs.Keys, null, "", names, needed: false) : null;
        var (context, pooled, sizes) = (Told("text", ContextNames), Told("pooled text", PooledNames), Told("sizes", SizesNames));
        var (embeddedGuidance, guidance) = (Told("guidance", EmbeddedGuidanceNames), Told("guidance", GuidanceNames));
        var (places, textPlaces) = (Told("places", PlacesNames), Told("places of text", TextPlacesNames));
        string?[] known = [image, noise, label, context, pooled, sizes, embeddedGuidance, guidance, places, textPlaces];
        if (session.Inputs.Keys.FirstOrDefault(name => !known.Contains(name)) is string unknown)
        {
            bool isText = !takesText && TextNames.Contains(unknown);
            throw new InvalidInputException($"{path} has the input {Printable.Text(unknown)}, which "
                + (isText ? "is about text: open the folder of its pipeline, which has the text encoder."
                    : "is not known here: models of images, a noise level and class labels are, and pipelines with text conditions."));
        }

        string output = Find(path, "output", "the result", session.Outputs.Keys, description.Output, "output", OutputNames)!;
        var images = Input(path, session, image, floating: true);
        return new OnnxSignature(images, NoiseInput(path, session, noise), label is null ? null : LabelInput(path, session, label), output,
            places is null ? ShapeOf(path, images, description.Shape) : PackedShapeOf(path, images, description.Shape))
        {
            Context = Given(context, floating: true),
            Pooled = Given(pooled, floating: true),
            Sizes = Given(sizes),
            EmbeddedGuidance = Given(embeddedGuidance, floating: true) is { } embedded ? EmbeddingInput(path, embedded) : null,
            Guidance = Given(guidance, floating: true),
            Places = Given(places),
            TextPlaces = Given(textPlaces),
        };

        OnnxInput? Given(string? name, bool floating = false) => name is null ? null : Input(path, session, name, floating);
    }

    private static string? Find(
        string path, string kind, string what, IEnumerable<string> names, string? given, string setting, string[] known, bool needed = true)
    {
        List<string> all = [.. names];
        if (given is not null)
        {
            return all.Contains(given) ? given
                : throw new InvalidInputException($"{path} has no {kind} {Printable.Text(given)} for {what}; it has {List(all)}.");
        }

        string? found = known.Select(name => all.FirstOrDefault(n => string.Equals(n, name, StringComparison.OrdinalIgnoreCase)))
            .FirstOrDefault(n => n is not null)
            ?? (needed && kind == "output" && all.Count == 1 ? all[0] : null);
        return found is not null || !needed
            ? found
            : throw new InvalidInputException($"{path}: which {kind} is {what} is not clear from the names {List(all)}; say it as "
                + $"{setting} in {path}{OnnxModelDescription.Extension}.");
    }

    private static OnnxInput Input(string path, OnnxSession session, string name, bool floating = false)
    {
        var node = session.Inputs[name];
        if (!node.IsTensor || OnnxTensors.TypeOf(node.ElementDataType) is not ScalarType type || (floating && OnnxTensors.IsWhole(type)))
        {
            throw new InvalidInputException($"{path}: its input {Printable.Text(name)} is of type "
                + $"{(node.IsTensor ? node.ElementDataType : node.OnnxValueType)}, which none of this kind is.");
        }

        return new OnnxInput(name, node.ElementDataType, type, node.Dimensions);
    }

    private static OnnxInput NoiseInput(string path, OnnxSession session, string name)
    {
        var input = Input(path, session, name);
        return input.Sizes.Skip(1).All(size => size is 1 or -1)
            ? input
            : throw new InvalidInputException($"{path}: its input {Printable.Text(name)} has the sizes {SizesOf(input)}; a noise level is "
                + "one number, or one for each image.");
    }

    private static OnnxInput LabelInput(string path, OnnxSession session, string name)
    {
        var input = Input(path, session, name);
        return input.Sizes.Count == 2 || (input.Sizes.Count == 1 && OnnxTensors.IsWhole(input.Type))
            ? input
            : throw new InvalidInputException($"{path}: its input {Printable.Text(name)} has the sizes {SizesOf(input)} and type "
                + $"{input.Element}; labels are whole numbers [B], or one-hot [B,K].");
    }

    private static OnnxInput EmbeddingInput(string path, OnnxInput input) => input.Sizes is [_, > 0 and <= 65536 and var channels]
        && channels % 2 == 0 ? input
        : throw new InvalidInputException($"{path}: its input {Printable.Text(input.Name)} has the sizes {SizesOf(input)}; an embedded "
            + "guidance scale is [B,G] with an even G.");

    // Of latents whose squares of four are one token.
    private static ImageShape PackedShapeOf(string path, OnnxInput image, ImageShape? given)
    {
        if (image.Sizes.Count != 3)
        {
            throw new InvalidInputException($"{path}: its input {Printable.Text(image.Name)} has the sizes {SizesOf(image)}; a network "
                + "that is told places takes tokens [B,N,C].");
        }

        var shape = given ?? throw new InvalidInputException($"{path} does not say the shape of its latents; give the shape (channels, "
            + $"height, width), or shape in {path}{OnnxModelDescription.Extension}.");
        long tokens = (long)shape.Height * shape.Width / FoldedPixels;
        bool fits = shape.Height % 2 == 0 && shape.Width % 2 == 0 && (image.Sizes[1] <= 0 || image.Sizes[1] == tokens)
            && (image.Sizes[2] <= 0 || image.Sizes[2] == FoldedPixels * (long)shape.Channels) && shape.Dimension <= LargestCall;
        return fits ? shape : throw new InvalidInputException(
            $"{path} takes tokens of the sizes {SizesOf(image)}, not latents of the shape {shape} that was asked for.");
    }

    private static ImageShape ShapeOf(string path, OnnxInput image, ImageShape? given)
    {
        if (image.Sizes.Count != 4 || image.Sizes[0] == 0)
        {
            throw new InvalidInputException(
                $"{path}: its input {Printable.Text(image.Name)} has the sizes {SizesOf(image)}; images are [B,C,H,W].");
        }

        if (given is null && image.Sizes.Skip(1).Any(size => size < 1))
        {
            throw new InvalidInputException($"{path} does not fix the shape of its images, {SizesOf(image)}; give its shape (channels, "
                + $"height, width), or shape in {path}{OnnxModelDescription.Extension}.");
        }

        var shape = given ?? new ImageShape(image.Sizes[1], image.Sizes[2], image.Sizes[3]);
        foreach (var (size, wanted) in image.Sizes.Skip(1).Zip([shape.Channels, shape.Height, shape.Width]))
        {
            if (size > 0 && size != wanted)
            {
                throw new InvalidInputException(
                    $"{path} takes images of the sizes {SizesOf(image)}, not of the shape {shape} that was asked for.");
            }
        }

        // What a file says is made room for, and a few bytes can say anything.
        int images = Math.Max(image.Sizes[0], 1);
        return shape.Dimension <= LargestCall / images ? shape : throw new InvalidInputException(
            $"{path} takes {images} image{(images == 1 ? "" : "s")} of {shape} a call, more than {LargestCall} values; export it with a "
                + "batch that varies, or a smaller one.");
    }

    private static string SizesOf(OnnxInput input)
        => $"[{string.Join(",", input.Sizes.Select(s => s < 0 ? "?" : FormattableString.Invariant($"{s}")))}]";

    private static string List(IEnumerable<string> names) => string.Join(", ", names.Take(8).Select(Printable.Text));
}
