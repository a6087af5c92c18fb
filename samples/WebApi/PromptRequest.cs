namespace WebApi;

/// <summary>What <c>POST /generate</c> takes: a class, by name or index, as the prompt (empty for any), and how many images.</summary>
public sealed record PromptRequest(string Prompt = "", int Count = 1, long Seed = 0);
