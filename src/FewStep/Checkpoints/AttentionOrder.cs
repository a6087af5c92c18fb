namespace FewStep.Checkpoints;

/// <summary>How openai/guided-diffusion arranges query, key and value of an attention layer.</summary>
public enum AttentionOrder
{
    /// <summary>By heads first: the code's default, and that of its networks above 64 pixels.</summary>
    Legacy,

    /// <summary>Query, key and value first (<c>use_new_attention_order</c>): its network for 64 pixels, and openai/consistency_models.</summary>
    New,
}
