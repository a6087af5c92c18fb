using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Text;

namespace FewStep.Onnx;

/// <summary>Turns a prompt into token ids, filled up or cut to the length that an encoder takes.</summary>
/// <param name="Hash">What tells it from others.</param>
internal sealed record OnnxTokenizer(Func<string, long[]> Ids, string Hash);

/// <summary>The text encoders of an ONNX pipeline: one of Stable Diffusion 1 and 2, two of Stable Diffusion XL, whose states before the
/// last layer are joined and whose second one also gives the pooled embedding.</summary>
/// <param name="encoders">Not owned.</param>
/// <param name="tokenizers">One for each.</param>
internal sealed class OnnxPromptEncoder(IReadOnlyList<OnnxPart> encoders, IReadOnlyList<OnnxTokenizer> tokenizers) : IPromptEncoder
{
    private const string States = "last_hidden_state", Layer = "hidden_states.", Projected = "text_embeds";

    /// <summary>Shape of the images that XL is told; null for what is told no sizes.</summary>
    public ImageShape? Told { get; init; }

    /// <summary>Whether the empty prompt is no embedding but zeros, as XL was trained.</summary>
    public bool EmptyIsZero { get; init; }

    public string Hash => Sha256.Of(string.Join('\n', [.. encoders.Select(e => e.Hash), .. tokenizers.Select(t => t.Hash),
        $"{Told} {EmptyIsZero}"]));

    public NetworkCondition Encode(IReadOnlyList<string> prompts)
    {
        var encoded = Encode([.. tokenizers.Select(tokenizer =>
            tensor([.. prompts.SelectMany(tokenizer.Ids)], int64).view(prompts.Count, -1))]);
        if (!EmptyIsZero || !prompts.Contains(""))
            return encoded;
        var filled = tensor(prompts.Select(p => p.Length > 0 ? 1f : 0f).ToArray());
        return encoded with { Context = encoded.Context! * filled.view(-1, 1, 1), Pooled = encoded.Pooled! * filled.view(-1, 1) };
    }

    /// <param name="ids">Token ids int64 [B,L] for each encoder.</param>
    public NetworkCondition Encode(IReadOnlyList<Tensor> ids)
    {
        long batch = ids[0].shape[0];
        var states = encoders.Zip(ids, (encoder, own) => Run(encoder, own, Told is null ? States : Penultimate(encoder), 3)).ToList();
        var context = states.Count == 1 ? states[0] : cat([.. states], -1);
        if (Told is not { } shape)
            return new NetworkCondition { Context = context };
        return new NetworkCondition
        {
            Context = context,
            Pooled = Run(encoders[^1], ids[^1], Projected, 2),
            Sizes = TextEncoding.SizesOf(shape).expand(batch, -1),
        };
    }

    private static Tensor Run(OnnxPart encoder, Tensor ids, string output, int dimensions)
    {
        if (!encoder.Outputs.Contains(output))
        {
            throw new InvalidInputException(
                $"{encoder.Path} has no output {output}, which its denoiser is told; export the text encoder again.");
        }

        var made = encoder.Run(encoder.Input("input_ids"), ids, output);
        return made.dim() == dimensions && made.shape[0] == ids.shape[0] ? made.to(float32)
            : throw new InvalidInputException($"{encoder.Path} gives [{string.Join(",", made.shape)}] for {ids.shape[0]} prompts of "
                + $"{ids.shape[1]} tokens; a text encoder gives [B,L,D] and, pooled, [B,P].");
    }

    // The states before the first layer are number 0, those after the last the highest.
    private static string Penultimate(OnnxPart encoder)
    {
        int[] layers = [.. encoder.Outputs.Where(o => o.StartsWith(Layer, StringComparison.Ordinal))
            .Select(o => int.TryParse(o.AsSpan(Layer.Length), out int number) ? number : -1).Order()];
        return layers is [.., var before, _] && before >= 0 ? FormattableString.Invariant($"{Layer}{before}")
            : throw new InvalidInputException($"{encoder.Path} has no outputs {Layer}0, {Layer}1, ..., of which Stable Diffusion XL is "
                + "told the one before the last; export it with its hidden states.");
    }
}
