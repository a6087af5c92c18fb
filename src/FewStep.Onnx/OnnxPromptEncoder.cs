using FewStep.Networks;

namespace FewStep.Onnx;

/// <summary>The text encoder of an ONNX pipeline of Stable Diffusion 1 or 2.</summary>
/// <param name="encoder">Not owned.</param>
/// <param name="tokenize">Token ids of a prompt, filled up or cut to the length that the encoder takes.</param>
/// <param name="tokenizerHash">What tells the tokenizer from others.</param>
internal sealed class OnnxPromptEncoder(OnnxPart encoder, Func<string, long[]> tokenize, string tokenizerHash) : IPromptEncoder
{
    private const string States = "last_hidden_state";
    private readonly OnnxInput _ids = encoder.Input("input_ids");

    public string Hash { get; } = Sha256.Of($"{encoder.Hash}\n{tokenizerHash}");

    public NetworkCondition Encode(IReadOnlyList<string> prompts)
    {
        long[][] ids = [.. prompts.Select(tokenize)];
        return Encode(tensor([.. ids.SelectMany(i => i)], int64).view(ids.Length, -1));
    }

    /// <param name="ids">Token ids int64 [B,L].</param>
    public NetworkCondition Encode(Tensor ids)
    {
        string output = encoder.Outputs.FirstOrDefault(name => name == States)
            ?? throw new InvalidInputException(
                $"{encoder.Path} has no output {States}, which is what its denoiser is told; export the text encoder again.");
        var states = encoder.Run(_ids, ids, output);
        return states.dim() == 3 && states.shape[0] == ids.shape[0] ? new NetworkCondition { Context = states.to(float32) }
            : throw new InvalidInputException($"{encoder.Path} gives [{string.Join(",", states.shape)}] for {ids.shape[0]} prompts of "
                + $"{ids.shape[1]} tokens; a text encoder gives [B,L,D].");
    }
}
