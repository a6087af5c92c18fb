using FewStep.Models;
using FewStep.Denoising;
using FewStep.Networks;
using TensorElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace FewStep.Onnx;

/// <summary>A model in an ONNX file as a denoiser, evaluated by ONNX Runtime on the processor.</summary>
/// <remarks>
/// A model with a fixed batch is given its batch in pieces, the last one filled up with copies of its last image. A model that takes one
/// noise level a call is called once for each level in a batch. Either way an image is evaluated once, and its result does not depend on
/// the batch by more than rounding.
/// </remarks>
/// <param name="evaluations">Evaluations of a network that an image costs in a call: 2 where the file holds guidance.</param>
/// <param name="conditions">What labels mean to it, where it takes text; null for classes. Not owned.</param>
internal sealed class OnnxDenoiser(string path, OnnxSession session, OnnxSignature signature, IPreconditioning? preconditioning,
    int classes, double sigmaMin, double sigmaMax, int? unconditional, int evaluations, IConditions? conditions = null)
    : IEvaluationCount, IKnowsNoClass, IRawNetwork, IDisposable
{
    private const int FoldedSide = 2;

    private long[]? _sizes; // of a result but for the batch, once one was made

    /// <summary>How its output becomes a denoised image; null where it is one.</summary>
    public IPreconditioning? Preconditioning => preconditioning;

    public ImageShape Shape => signature.Shape;
    public int Classes => conditions?.Count ?? classes;
    public double SigmaMin => sigmaMin;
    public double SigmaMax => sigmaMax;

    /// <summary>Number of images in every call; null where it may vary.</summary>
    public int? FixedBatch => signature.FixedBatch;

    /// <summary>Whether the label -1, "no class", means something to the model.</summary>
    public bool KnowsNoClass => conditions is not null || Classes > 0 && (signature.IsOneHot || unconditional is not null);

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels, out long cost)
    {
        cost = x.shape[0] * evaluations;
        return Denoise(x, sigma, labels);
    }

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var given = Told(labels, x.shape[0]);
        if (preconditioning is null)
            return Evaluate(x, sigma, given).to(x.dtype, x.device).MoveToOuterDisposeScope();
        var c = preconditioning.Coefficients(sigma);
        var raw = Evaluate(x * Column(c.In), c.Noise, given).to(x.dtype, x.device);
        return addcmul(x * Column(c.Skip), raw, Column(c.Out), TensorArithmetic.One).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Raw(Tensor x, Tensor noiseLabels, Tensor? labels)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var given = Told(labels, x.shape[0]);
        return Evaluate(x, noiseLabels, given).to(x.dtype, x.device).MoveToOuterDisposeScope();
    }

    public void Dispose() => session.Dispose();
    private static Tensor Column(Tensor c) => c.view(-1, 1, 1, 1);

    // What the model is told beside images and noise levels, a row for each image, in its types.
    private IReadOnlyList<(OnnxInput Input, Tensor Value)> Told(Tensor? labels, long batch)
    {
        if (conditions is null)
            return signature.Label is null ? [] : [(signature.Label, Labels(labels, batch))];
        var condition = conditions.Of(labels, batch, CPU, float32);
        return
        [
            .. Given(signature.Context, condition.Context), .. Given(signature.Pooled, condition.Pooled),
            .. Given(signature.Sizes, condition.Sizes), .. Given(signature.Guidance, condition.GuidanceScale),
            .. Given(signature.EmbeddedGuidance, condition.GuidanceScale is { } scale && signature.EmbeddedGuidance is { } embedded
                ? ConditionEmbedding.OfGuidance(scale, embedded.Sizes[1]) : null),
        ];

        IEnumerable<(OnnxInput, Tensor)> Given(OnnxInput? input, Tensor? value) => (input, value) switch
        {
            (null, _) => [],
            ({ } known, { } rows) => [(known, rows.to(known.Type))],
            _ => throw new InvalidInputException($"{path} takes the input {Printable.Text(input.Name)}, which the text encoders of its "
                + "pipeline do not give."),
        };
    }

    // In the model's terms: indices with its own label for "no class", or one-hot rows, where that is a row of zeros.
    private Tensor Labels(Tensor? labels, long batch)
    {
        var indices = labels?.cpu() ?? full(batch, TensorArithmetic.MinusOne, dtype: int64);
        var none = indices < TensorArithmetic.Zero;
        if (signature.IsOneHot)
        {
            var rows = nn.functional.one_hot(indices.clamp_min(TensorArithmetic.Zero), Classes);
            return rows.masked_fill(none.unsqueeze(1), TensorArithmetic.Zero).to(signature.Label!.Type);
        }

        if (none.any().item<bool>())
        {
            using var label = TensorArithmetic.Number(unconditional
                ?? throw new InvalidInputException($"{path} knows no label for \"no class\"; give every image a class, or say its "
                    + $"unconditional_label in {path}{OnnxModelDescription.Extension}."));
            indices = indices.masked_fill(none, label);
        }

        return indices.to(signature.Label!.Type);
    }

    private Tensor Evaluate(Tensor x, Tensor noise, IReadOnlyList<(OnnxInput Input, Tensor Value)> told)
    {
        var images = x.cpu().to(signature.Image.Type).contiguous();
        var levels = noise.cpu();
        if (OnnxTensors.IsWhole(signature.Noise.Type))
            levels = levels.round();
        levels = levels.to(signature.Noise.Type);
        if (!signature.SharesNoise || levels.NumberOfElements == 1)
            return Pieces(images, levels.expand(x.shape[0]).contiguous(), told);
        var (distinct, which, _) = levels.unique(sorted: true, return_inverse: true);
        var result = empty(Shape.Batch(x.shape[0]), dtype: float32);
        for (long i = 0; i < distinct.NumberOfElements; i++)
        {
            using var group = NewDisposeScope();
            using var number = TensorArithmetic.Number(i);
            var rows = (which! == number).nonzero().view(-1);
            var part = Pieces(
                images.index_select(0, rows), distinct[i].expand(rows.NumberOfElements).contiguous(),
                [.. told.Select(t => (t.Input, t.Value.index_select(0, rows)))]);
            result.index_copy_(0, rows, part.to(float32));
        }

        return result;
    }

    private Tensor Pieces(Tensor images, Tensor levels, IReadOnlyList<(OnnxInput Input, Tensor Value)> told)
    {
        if (FixedBatch is not int size)
            return Call(images, levels, told);
        var parts = new List<Tensor>();
        for (long first = 0; first < images.shape[0]; first += size)
        {
            long count = Math.Min(size, images.shape[0] - first);
            Tensor Piece(Tensor all) => count == size ? all.narrow(0, first, size)
                : cat([all.narrow(0, first, count), .. Enumerable.Repeat(all.narrow(0, first + count - 1, 1), (int)(size - count))]);
            parts.Add(
                Call(Piece(images), Piece(levels), [.. told.Select(t => (t.Input, Piece(t.Value)))]).narrow(0, 0, count));
        }

        return parts.Count == 1 ? parts[0] : cat(parts);
    }

    private Tensor Call(Tensor images, Tensor levels, IReadOnlyList<(OnnxInput Input, Tensor Value)> told)
    {
        long batch = images.shape[0];
        var packed = Packed(images).contiguous();
        var noise = (signature.SharesNoise ? levels.narrow(0, 0, 1) : levels).contiguous();
        List<(string, Tensor, TensorElementType, long[])> inputs =
        [
            (signature.Image.Name, packed, signature.Image.Element, packed.shape),
            (signature.Noise.Name, noise, signature.Noise.Element,
                [.. signature.Noise.Sizes.Select((_, i) => i == 0 ? noise.NumberOfElements : 1)]),
        ];
        foreach (var (input, value) in told.Concat(Places(batch, told)))
            inputs.Add((input.Name, value.contiguous(), input.Element, value.shape));
        return Checked(Unpacked(Made(inputs, batch)), batch);
    }

    // Into memory of this house, but for the first result, whose sizes are not known before.
    private Tensor Made(List<(string, Tensor, TensorElementType, long[])> inputs, long batch)
    {
        var type = OnnxTensors.TypeOf(session.Outputs[signature.Output].ElementDataType);
        if (_sizes is null || type is null)
        {
            var first = session.Run(inputs, signature.Output);
            _sizes = first.dim() > 0 && first.shape[0] == batch ? first.shape[1..] : null;
            return first;
        }

        var result = empty([batch, .. _sizes], dtype: type);
        session.Run(inputs, signature.Output, result);
        return result;
    }

    // The tokens of latents whose patches are folded into channels.
    private Tensor Packed(Tensor images) => signature.IsPacked ? Tokens.OfMap(nn.functional.pixel_unshuffle(images, FoldedSide)) : images;

    private Tensor Unpacked(Tensor made) => !signature.IsPacked || made.dim() != 3 || made.shape[1] != FoldedPlaces.Count ? made
        : nn.functional.pixel_shuffle(Tokens.Map(made, FoldedPlaces.Height, FoldedPlaces.Width), FoldedSide);

    private (long Height, long Width, long Count) FoldedPlaces
        => (Shape.Height / FoldedSide, Shape.Width / FoldedSide, (long)Shape.Height * Shape.Width / (FoldedSide * FoldedSide));

    // Where the tokens of image and text lie, which is the same for all images.
    private IEnumerable<(OnnxInput Input, Tensor Value)> Places(long batch, IReadOnlyList<(OnnxInput Input, Tensor Value)> told)
    {
        if (signature.Places is { } places)
            yield return (places, Each(places, RotaryPositions.Places(FoldedPlaces.Height, FoldedPlaces.Width)));
        if (signature.TextPlaces is { } words && told.FirstOrDefault(t => t.Input == signature.Context).Value is { } context)
            yield return (words, Each(words, zeros(context.shape[1], RotaryPositions.Axes)));

        Tensor Each(OnnxInput input, Tensor rows) => (input.Sizes.Count == 3 ? rows.expand(batch, -1, -1) : rows).to(input.Type);
    }

    private Tensor Checked(Tensor output, long batch)
    {
        long[] sizes = output.shape;
        if (sizes.Length != 4 || sizes[0] != batch || sizes[2] != Shape.Height || sizes[3] != Shape.Width
            || (sizes[1] != Shape.Channels && sizes[1] != 2 * Shape.Channels))
        {
            throw new InvalidInputException(
                $"{path} gives [{string.Join(",", sizes)}] for {batch} images of {Shape}; it must give as many images of the same shape.");
        }

        return output.narrow(1, 0, Shape.Channels); // further channels hold a learned variance
    }
}
